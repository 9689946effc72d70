package org.ascus.polyglot.firmware;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.ascus.machine.run.RunState;
import org.ascus.machine.run.ShutdownReason;
import org.ascus.machine.run.ShutdownReason.Kind;
import org.ascus.polyglot.LifeOptions;
import org.ascus.polyglot.Vm;
import org.junit.jupiter.api.Test;
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
        li t0, 20000
        add a0, a0, t0
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

  @Test
  void baseTellsTheVersionAndWhichExtensionsThereAre() throws Exception {
    passes(
        """
        .macro probe extension, answer
          li a0, \\extension
          sbi 0x10, 3
          expect a0, 0
          expect a1, \\answer
        .endm
        sbi 0x10, 0
        expect a0, 0
        expect a1, 0x2000000
        sbi 0x10, 2
        expect a0, 0
        expect a1, 1
        sbi 0x10, 6
        expect a0, 0
        probe 0x10, 1
        probe 0x54494d45, 1
        probe 0x735049, 1
        probe 0x52464e43, 1
        probe 0x48534d, 1
        probe 0x53525354, 1
        probe 0x4442434e, 1
        probe 0, 1
        probe 1, 1
        probe 2, 1
        probe 3, 1
        probe 4, 1
        probe 5, 1
        probe 6, 1
        probe 7, 1
        probe 8, 1
        probe 9, 0
        probe 15, 0
        probe 0x504d55, 0
        probe -1, 0
        """);
  }

  @Test
  void unknownExtensionsAndFunctionsAreNotSupported() throws Exception {
    passes(
        """
        .macro unknown extension, function
          sbi \\extension, \\function
          expect a0, -2
        .endm
        unknown 9, 0
        unknown 15, 0
        unknown 0x504d55, 0
        unknown -1, 0
        unknown 0x10, 7
        unknown 0x10, -1
        unknown 0x54494d45, 1
        unknown 0x735049, 1
        unknown 0x52464e43, 3           # hypervisor fences
        unknown 0x52464e43, 6
        unknown 0x48534d, 4
        unknown 0x53525354, 1
        unknown 0x4442434e, 3
        """);
  }

  @Test
  void aCallKeepsAllRegistersButItsTwoResults() throws Exception {
    passes(
        """
        li ra, 1; li sp, 2; li gp, 3; li tp, 4; li t0, 5; li t1, 6; li t2, 7; li s0, 8; li s1, 9
        li a2, 12; li a3, 13; li a4, 14; li a5, 15; li s2, 18; li s3, 19; li s4, 20; li s5, 21
        li s6, 22; li s7, 23; li s8, 24; li s9, 25; li s10, 26; li t3, 28; li t4, 29
        li a0, 1
        li a1, 0
        sbi 0x735049, 0
        expect a0, 0
        expect a6, 0
        expect a7, 0x735049
        expect ra, 1; expect sp, 2; expect gp, 3; expect tp, 4; expect t0, 5; expect t1, 6; expect t2, 7
        expect s0, 8; expect s1, 9; expect a2, 12; expect a3, 13; expect a4, 14; expect a5, 15
        expect s2, 18; expect s3, 19; expect s4, 20; expect s5, 21; expect s6, 22; expect s7, 23
        expect s8, 24; expect s9, 25; expect s10, 26; expect t3, 28; expect t4, 29
        """);
  }

  @Test
  void exceptionsOfTheSupervisorArriveThere() throws Exception {
    passes(
        """
        .macro before
          catch
          la s0, 1f
        .endm
        .macro raised cause
          expect s10, \\cause
          sub s0, s0, s9
          expect s0, 0
        .endm
        before
        1: .word 0
        raised 2
        before
        1: csrr t0, mstatus
        raised 2
        before
        1: ebreak
        raised 3
        li t1, FIRMWARE
        before
        1: ld t0, 0(t1)
        raised 5
        before
        1: sd t0, 0(t1)
        raised 7
        li t1, FIRMWARE + 0x7fff8
        before
        1: sd t0, 0(t1)
        raised 7
        ld t0, 8(t1)                    # the supervisor's
        li t1, NOTHING
        before
        1: ld t0, 0(t1)
        raised 5
        li t1, DATA + 1
        before
        1: lr.d t0, (t1)
        raised 4
        la t0, fetched
        csrw stvec, t0
        li s0, FIRMWARE
        jr s0
        .align 2
        fetched:
        csrr s9, sepc
        csrr s10, scause
        raised 1
        """);
  }

  @Test
  void legacyInterprocessorInterruptsAndFences() throws Exception {
    passes(
        """
        catch
        sbi 3, 0
        expect a0, 0
        li s0, DATA
        li t0, 1
        sd t0, 0(s0)
        mv a0, s0
        li a1, 55
        sbi 4, 0
        expect a0, 0
        expect a1, 55
        csrr t0, sip
        andi t0, t0, 2
        expect t0, 2
        sbi 3, 0
        expect a0, 1
        csrr t0, sip
        andi t0, t0, 2
        expect t0, 0
        sbi 3, 0
        expect a0, 0
        li a0, 0                        # all harts
        sbi 4, 0
        expect a0, 0
        sbi 3, 0
        expect a0, 1
        .macro fence number, mask
          li a0, \\mask
          li a1, 0x1000
          li a2, 0x3000
          li a3, 5
          sbi \\number, 0
          expect a0, 0
          expect a1, 0x1000
        .endm
        fence 5, 0
        fence 6, 0
        fence 7, 0
        fence 5, DATA
        fence 6, DATA
        fence 7, DATA
        li t0, 2                        # a hart that is not there
        sd t0, 0(s0)
        mv a0, s0
        sbi 4, 0
        expect a0, -3
        expect s10, -1
        """);
  }

  @Test
  void aBadMaskOfALegacyCallIsAFaultOfTheCall() throws Exception {
    passes(
        """
        .macro faults number, address, cause
          catch
          li a0, \\address
          li a7, \\number
          la s0, 1f
          1: ecall
          expect s10, \\cause
          sub s0, s0, s9
          expect s0, 0
          li t0, \\address
          sub s8, s8, t0
          expect s8, 0
          sub a0, a0, t0
          expect a0, 0
          csrr t0, sstatus
          andi t0, t0, 0x122            # SPP is for the handler, not for now; SPIE, SIE
          expect t0, 0x20
          sbi 3, 0
          expect a0, 0
        .endm
        csrci sstatus, 2
        faults 4, NOTHING, 5
        faults 5, FIRMWARE + 0x40000, 5
        faults 6, -8, 5
        faults 7, FIRMWARE + 0x7fff8, 5
        """);
  }

  @Test
  void legacyMasksAreReadThroughTheSupervisorsPageTables() throws Exception {
    passes(
        """
        # One page table of a 1 GiB page, RAM at its own address; DATA is in its second 2 MiB.
        li s0, 0x80400000
        li t0, 0x200000cf               # V R W X A D, to 0x80000000
        sd t0, 16(s0)
        sd t0, 40(s0)                   # and at 0x140000000
        li t0, 0xcf                     # devices
        sd t0, 0(s0)
        li t0, 8 << 60 | 0x80400
        csrw satp, t0
        sfence.vma
        catch
        li t0, 1
        li t1, DATA
        sd t0, 0(t1)
        li a0, DATA + 0xc0000000
        sbi 4, 0
        expect a0, 0
        sbi 3, 0
        expect a0, 1
        csrr t0, satp
        li t1, 8 << 60 | 0x80400
        sub t0, t0, t1
        expect t0, 0
        li a0, 0x40000000
        la s1, 1f
        li a7, 4
        1: ecall
        expect s10, 13
        sub s1, s1, s9
        expect s1, 0
        # Addresses of dbcn are physical all the same.
        li t0, 'x'
        li t1, DATA
        sb t0, 0(t1)
        li a0, 1
        mv a1, t1
        li a2, 0
        sbi 0x4442434e, 0
        expect a0, 0
        expect a1, 1
        li a0, 1
        li a1, DATA + 0xc0000000
        sbi 0x4442434e, 0
        expect a0, -3
        csrr t0, satp
        li t1, 8 << 60 | 0x80400
        sub t0, t0, t1
        expect t0, 0
        """);
  }

  @Test
  void theDebugConsoleWritesAndRefusesMemoryThatIsNotTheSupervisors() throws Exception {
    String program =
        """
        .macro console function, size, address, high
          li a0, \\size
          li a1, \\address
          li a2, \\high
          sbi 0x4442434e, \\function
        .endm
        .macro refused size, address, high
          console 0, \\size, \\address, \\high
          expect a0, -3
          console 1, \\size, \\address, \\high
          expect a0, -3
        .endm
        catch
        la a1, text
        li a0, 6
        li a2, 0
        sbi 0x4442434e, 0
        expect a0, 0
        expect a1, 6
        refused 1, FIRMWARE, 0
        refused 1, FIRMWARE + 0x7ffff, 0
        refused 2, FIRMWARE + 0x7ffff, 0
        refused 0x80000, FIRMWARE, 0
        refused 0x1000, NOTHING, 0
        refused 0x2000, 0x80fff000, 0   # half behind the end of RAM
        refused 1, DATA, 1
        refused -1, DATA, 0
        refused 0x10, -8, 0
        refused 0x7fffffffffffffff, DATA, 0
        console 0, 0, FIRMWARE, 0
        expect a0, 0
        expect a1, 0
        console 1, 16, DATA, 0          # nothing was typed
        expect a0, 0
        expect a1, 0
        li a0, '!'
        sbi 0x4442434e, 2
        expect a0, 0
        expect a1, 0
        li a0, '?'
        li a1, 9
        sbi 1, 0
        expect a0, 0
        expect a1, 9
        sbi 2, 0
        expect a0, -1
        expect s10, -1
        j passed
        text: .ascii "Hello\\n"
        """;
    try (Vm vm = SupervisorGuest.machine(folder, program).icount(0).build()) {
      vm.runFor(10_000_000);
      SupervisorGuest.assertPassed(vm);
      assertThat(vm.console().output()).isEqualTo("Ascus SBI\r\nHello\n!?");
    }
  }

  @Test
  void theDebugConsoleReadsWhatWasTyped() throws Exception {
    String program =
        """
        li s0, DATA
        li t0, -1
        sd t0, 0(s0)
        sd t0, 8(s0)
        li t0, UART                     # both calls wait for nothing
        1: lbu t1, 5(t0)
        andi t1, t1, 1
        beqz t1, 1b
        li a0, 2
        addi a1, s0, 1
        li a2, 0
        sbi 0x4442434e, 1
        expect a0, 0
        expect a1, 2
        ld t0, 0(s0)
        expect t0, 0xffffffffff6261ff
        li a0, 16
        addi a1, s0, 3
        li a2, 0
        sbi 0x4442434e, 1
        expect a0, 0
        expect a1, 1
        ld t0, 0(s0)
        expect t0, 0xffffffff636261ff
        """;
    try (Vm vm = SupervisorGuest.machine(folder, program).icount(0).build()) {
      vm.runFor(100_000);
      vm.console().send("abc");
      vm.runFor(10_000_000);
      SupervisorGuest.assertPassed(vm);
    }
  }

  private ShutdownReason endOf(String program) throws Exception {
    try (Vm vm =
        SupervisorGuest.machine(folder, program).icount(0).life(new LifeOptions(false, true, false)).build()) {
      vm.runFor(1_000_000);
      assertThat(vm.state()).isEqualTo(RunState.ENDED);
      return vm.awaitExit();
    }
  }

  @Test
  void resetsAndShutdowns() throws Exception {
    String reset = "li a0, %s\nli a1, %s\nsbi 0x53525354, 0\n1: j 1b\n";
    assertThat(endOf(reset.formatted("0", "0"))).isEqualTo(new ShutdownReason(Kind.GUEST_SHUTDOWN, 0, ""));
    assertThat(endOf(reset.formatted("0", "1"))).isEqualTo(new ShutdownReason(Kind.GUEST_SHUTDOWN, 1, ""));
    assertThat(endOf(reset.formatted("1", "0")).kind()).isEqualTo(Kind.GUEST_RESET);
    assertThat(endOf(reset.formatted("2", "1")).kind()).isEqualTo(Kind.GUEST_RESET);
    assertThat(endOf("sbi 8, 0\n1: j 1b\n")).isEqualTo(new ShutdownReason(Kind.GUEST_SHUTDOWN, 0, ""));
  }

  @Test
  void resetsThatAreReservedAreRefused() throws Exception {
    passes(
        """
        .macro refused type, reason
          li a0, \\type
          li a1, \\reason
          sbi 0x53525354, 0
          expect a0, -3
        .endm
        refused 3, 0
        refused 0xf0000000, 0
        refused -1, 0
        refused 0, 2
        refused 1, 0xe0000000
        """);
  }
}
