package org.ascus.devices.irqchip;

import java.util.Map;
import org.ascus.machine.bus.BusDevice;
import org.ascus.machine.bus.MmioRegion;
import org.ascus.machine.device.Device;
import org.ascus.machine.irq.IrqLine;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;

/**
 * Supervisor-level software interrupts of RISC-V harts (RISC-V ACLINT specification 1.0, chapter 4, SSWI).
 *
 * <pre>
 * 0x0000 + 4 * hart   setssip   writing 1 to bit 0 makes the hart's supervisor software interrupt pending; reads 0
 * </pre>
 *
 * <p>It holds no state: the interrupt stays pending in the hart's {@code mip} until software clears it there. Writes of
 * 0 and to registers of harts that do not exist do nothing.
 */
public final class Sswi extends Device {
  /** Bytes of the register window. */
  public static final long SIZE = 0x4000;

  private final IrqLine[] lines;

  /**
   * @param lines the supervisor software interrupt input of each hart, which latches edges
   */
  public Sswi(String id, IrqLine[] lines) {
    super("riscv.aclint.sswi", id);
    this.lines = lines.clone();
  }

  public MmioRegion region() {
    return new MmioRegion(type(), SIZE, new Registers(), lock());
  }

  private final class Registers implements BusDevice {
    private static final AccessSizes SIZES = new AccessSizes(4, 4, false);

    @Override
    public AccessSizes accessSizes() {
      return SIZES;
    }

    @Override
    public long read(long offset, int width) {
      return 0;
    }

    @Override
    public void write(long offset, int width, long value) {
      long hart = offset / 4;
      if (hart < lines.length && (value & 1) != 0) {
        lines[(int) hart].set(true);
        lines[(int) hart].set(false);
      }
    }
  }

  @Override
  public Map<String, String> properties() {
    return Map.of("num-harts", Integer.toString(lines.length), "sswi", "on");
  }

  @Override
  public void save(StateWriter out) {}

  @Override
  public void load(StateReader in, int version) {}
}
