package org.ascus.devices.power;

import org.ascus.machine.bus.BusDevice;
import org.ascus.machine.bus.MmioRegion;
import org.ascus.machine.device.Device;
import org.ascus.machine.run.Machine;
import org.ascus.machine.run.ShutdownReason;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;

/**
 * SiFive's test finisher: a write to offset 0 ends or resets the machine. Bits 15:0 say what: 0x5555 power off, 0x3333
 * fail with the exit code in bits 31:16, 0x7777 reset.
 */
public final class SifiveTest extends Device implements BusDevice {
  /** Bytes of the register window. */
  public static final long SIZE = 0x1000;

  private static final int FAIL = 0x3333;
  private static final int PASS = 0x5555;
  private static final int RESET = 0x7777;

  private final Machine machine;
  private final MmioRegion region;

  public SifiveTest(String id, Machine machine) {
    super("riscv.sifive.test", id);
    this.machine = machine;
    this.region = new MmioRegion("riscv.sifive.test", SIZE, this, lock());
  }

  public MmioRegion region() {
    return region;
  }

  @Override
  public long read(long offset, int width) {
    return 0;
  }

  @Override
  public void write(long offset, int width, long value) {
    if (offset != 0) {
      return;
    }
    switch ((int) value & 0xffff) {
      case FAIL -> shutdown((int) (value >>> 16) & 0xffff);
      case PASS -> shutdown(0);
      case RESET -> machine.requestReset(true);
      default -> {}
    }
  }

  private void shutdown(int exitCode) {
    machine.requestShutdown(new ShutdownReason(ShutdownReason.Kind.GUEST_SHUTDOWN, exitCode, ""));
  }

  @Override
  public void save(StateWriter out) {}

  @Override
  public void load(StateReader in, int version) {}
}
