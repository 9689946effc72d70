package org.ascus.polyglot.firmware;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.ascus.devices.board.riscv.Firmware;
import org.ascus.machine.run.ShutdownReason;
import org.ascus.polyglot.Accelerator;
import org.ascus.polyglot.Vm;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class DemoGuestTest {
  private static final Duration LIMIT = Duration.ofSeconds(30);

  @Test
  void itGreetsTellsTheMachineEchoesAndEnds() throws Exception {
    try (Vm vm =
        Vm.builder()
            .memory(48 << 20)
            .smp(2)
            .accelerator(Accelerator.INTERPRETER)
            .bios(new Firmware.Bytes("demo", DemoGuest.bytes()))
            .build()) {
      vm.start();
      String text = vm.console().expect("> ", LIMIT);
      assertThat(text).contains("Hello from").contains("rv64acdfimsu\r\n").contains("memory       48 MiB\r\n");
      vm.console().send("hello\r");
      assertThat(vm.console().expect("\n> ", LIMIT)).isEqualTo("hello\r\n> ");
      vm.console().send("\u0004");
      assertThat(vm.awaitExit()).isEqualTo(new ShutdownReason(ShutdownReason.Kind.GUEST_SHUTDOWN, 0, ""));
    }
  }
}
