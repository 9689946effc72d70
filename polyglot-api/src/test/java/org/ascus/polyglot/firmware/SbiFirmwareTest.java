package org.ascus.polyglot.firmware;

import java.nio.file.Path;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a program on one hart sees of the SBI (RISC-V Supervisor Binary Interface 2.0). */
@Timeout(60)
class SbiFirmwareTest {
  private static final String TIME = "0x54494d45";

  @TempDir Path folder;

  private void passes(String program) throws Exception {
    SupervisorGuest.passes(SupervisorGuest.machine(folder, program));
  }

  private static String setTimer(String call) {
    return
        """
        .macro set_timer
          %s
        .endm
        catch
        li s0, 1 << 5                   # STIP, STIE
        rdtime a0
        add a0, a0, 200
        set_timer
        expect a0, 0
        csrr t0, sip
        and t0, t0, s0
        expect t0, 0
        csrw sie, s0
        csrsi sstatus, 2
        li t0, -1
        1: wfi
        beq s10, t0, 1b
        li t0, 0x8000000000000005
        sub s10, s10, t0
        expect s10, 0
        csrr t0, sip
        and t0, t0, s0
        expect t0, 1 << 5
        li a0, -1                       # centuries ahead: none is pending any more
        set_timer
        csrr t0, sip
        and t0, t0, s0
        expect t0, 0
        li a0, 0                        # long ago: pending at once
        set_timer
        csrr t0, sip
        and t0, t0, s0
        expect t0, 1 << 5
        """
        .formatted(call);
  }

  @ParameterizedTest
  @ValueSource(strings = {"rv64", "rv64,sstc=off"})
  void theTimerInterruptArrivesAndATimeAheadClearsIt(String cpu) throws Exception {
    String program = setTimer("sbi " + TIME + ", 0\nexpect a1, 0");
    SupervisorGuest.passes(SupervisorGuest.machine(folder, program).cpu(cpu));
  }

  @ParameterizedTest
  @ValueSource(strings = {"rv64", "rv64,sstc=off"})
  void theLegacyTimerCallDoesTheSame(String cpu) throws Exception {
    String program = setTimer("li a1, 77\nsbi 0, 99\nexpect a1, 77");
    SupervisorGuest.passes(SupervisorGuest.machine(folder, program).cpu(cpu));
  }
}
