package org.ascus.devices.power;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.ascus.devices.DeviceContractTest;
import org.ascus.machine.bus.MmioRegion;
import org.ascus.machine.device.Device;
import org.ascus.machine.run.Machine;
import org.ascus.machine.run.RunState;
import org.ascus.machine.run.ShutdownReason;
import org.ascus.machine.trace.Log;
import org.junit.jupiter.api.Test;

class SifiveTestTest extends DeviceContractTest {
  @Override
  protected Device create() {
    return new SifiveTest("test", machine);
  }

  @Override
  protected List<MmioRegion> regions(Device device) {
    return List.of(((SifiveTest) device).region());
  }

  private static ShutdownReason end(int width, long value, boolean noReboot) throws InterruptedException {
    Machine machine = new Machine(Log.off());
    machine.setRebootEnds(noReboot);
    new SifiveTest("test", machine).region().write(0, width, value);
    assertThat(machine.state()).isEqualTo(RunState.ENDED);
    return machine.awaitShutdown();
  }

  @Test
  void passPowersOffWithExitCodeZero() throws Exception {
    assertThat(end(4, 0x5555, false))
        .isEqualTo(new ShutdownReason(ShutdownReason.Kind.GUEST_SHUTDOWN, 0, ""));
  }

  @Test
  void failPowersOffWithTheCodeInTheUpperHalf() throws Exception {
    assertThat(end(4, 42L << 16 | 0x3333, false).exitCode()).isEqualTo(42);
  }

  @Test
  void sixteenBitStoresAreTakenToo() throws Exception {
    assertThat(end(2, 0x5555, false).exitCode()).isZero();
  }

  @Test
  void resetEndsAMachineThatMustNotReboot() throws Exception {
    assertThat(end(4, 0x7777, true).kind()).isEqualTo(ShutdownReason.Kind.GUEST_RESET);
  }

  @Test
  void anyOtherValueDoesNothing() {
    MmioRegion io = regions(create()).getFirst();
    io.write(0, 4, 0x1234);
    io.write(4, 4, 0x5555);
    assertThat(machine.state()).isEqualTo(RunState.PRELAUNCH);
  }
}
