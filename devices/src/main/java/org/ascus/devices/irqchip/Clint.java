package org.ascus.devices.irqchip;

import java.util.Arrays;
import java.util.Map;
import java.util.function.LongConsumer;
import org.ascus.machine.bus.BusDevice;
import org.ascus.machine.bus.MmioRegion;
import org.ascus.machine.clock.VirtualClock;
import org.ascus.machine.device.Device;
import org.ascus.machine.irq.IrqLine;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;

/**
 * Machine-level timer and software interrupts of RISC-V harts: the layout of SiFive's CLINT, which is an MSWI and an
 * MTIMER device of the RISC-V ACLINT specification 1.0 (chapters 2 and 3) in one window of 64 KiB.
 *
 * <pre>
 * 0x0000 + 4 * hart   msip      bit 0 is the hart's machine software interrupt; other bits read 0
 * 0x4000 + 8 * hart   mtimecmp  the machine timer interrupt is pending while mtime >= mtimecmp, unsigned
 * 0xbff8              mtime     counts at 10 MHz of guest time
 * </pre>
 *
 * <p>The 64-bit registers can be accessed as a whole or by halves. A write to mtime shifts it against guest time until
 * the next reset, and the harts' {@code time} CSR with it. Registers of harts that do not exist read 0.
 */
public final class Clint extends Device {
  /** Bytes of the register window. */
  public static final long SIZE = 0x10000;

  /** Ticks of mtime per second of guest time. */
  public static final long FREQUENCY = 10_000_000;

  /** Most harts that the layout has room for. */
  public static final int MAX_HARTS = 4095;

  private static final long NANOS_PER_TICK = 1_000_000_000 / FREQUENCY;
  private static final long MTIMECMP = 0x4000;
  private static final long MTIME = 0xbff8;

  private final VirtualClock clock;
  private final IrqLine[] softwareLines;
  private final IrqLine[] timerLines;
  private final VirtualClock.Timer[] timers;
  private final LongConsumer timeOffset;
  private final boolean[] msip;
  private final long[] mtimecmp;
  private long offset;

  /**
   * @param softwareLines the machine software interrupt input of each hart
   * @param timerLines the machine timer interrupt input of each hart
   * @param timeOffset told by how many ticks mtime is ahead of guest time, whenever that changes
   */
  public Clint(
      String id, VirtualClock clock, IrqLine[] softwareLines, IrqLine[] timerLines, LongConsumer timeOffset) {
    super("riscv.clint", id);
    if (softwareLines.length != timerLines.length || softwareLines.length > MAX_HARTS) {
      throw new IllegalArgumentException(softwareLines.length + " and " + timerLines.length + " harts");
    }
    int harts = softwareLines.length;
    this.clock = clock;
    this.softwareLines = softwareLines.clone();
    this.timerLines = timerLines.clone();
    this.timeOffset = timeOffset;
    this.timers = new VirtualClock.Timer[harts];
    for (int i = 0; i < harts; i++) {
      int hart = i;
      timers[i] = clock.newTimer(confined(() -> updateTimer(hart)));
    }
    this.msip = new boolean[harts];
    this.mtimecmp = new long[harts];
    Arrays.fill(mtimecmp, -1);
  }

  public MmioRegion region() {
    return new MmioRegion(type(), SIZE, new Registers(), lock());
  }

  private long mtime() {
    return clock.nanos() / NANOS_PER_TICK + offset;
  }

  private final class Registers implements BusDevice {
    private static final AccessSizes SIZES = new AccessSizes(4, 8, false);

    @Override
    public AccessSizes accessSizes() {
      return SIZES;
    }

    @Override
    public long read(long offset, int width) {
      long at = offset & -width;
      if (width == 4) {
        return at < MTIMECMP ? word(at) : get(at & ~7) >>> (at & 4) * 8;
      }
      return at < MTIMECMP ? word(at) & 0xffffffffL | word(at + 4) << 32 : get(at);
    }

    private long word(long at) {
      int hart = (int) (at / 4);
      if (hart < msip.length) {
        return msip[hart] ? 1 : 0;
      }
      return 0;
    }

    private long get(long at) {
      if (at == MTIME) {
        return mtime();
      }
      int hart = (int) (at - MTIMECMP) / 8;
      return at < MTIME && hart < mtimecmp.length ? mtimecmp[hart] : 0;
    }

    @Override
    public void write(long offset, int width, long value) {
      long at = offset & -width;
      if (at < MTIMECMP) {
        putWord(at, value);
        if (width == 8) {
          putWord(at + 4, value >>> 32);
        }
        return;
      }
      long whole = value;
      if (width == 4) {
        int shift = (int) (at & 4) * 8;
        whole = get(at & ~7) & ~(0xffffffffL << shift) | (value & 0xffffffffL) << shift;
      }
      put(at & ~7, whole);
    }

    private void putWord(long at, long value) {
      int hart = (int) (at / 4);
      if (hart < msip.length) {
        msip[hart] = (value & 1) != 0;
        softwareLines[hart].set(msip[hart]);
      }
    }

    private void put(long at, long value) {
      int hart = (int) (at - MTIMECMP) / 8;
      if (at == MTIME) {
        offset(value - clock.nanos() / NANOS_PER_TICK);
      } else if (at < MTIME && hart < mtimecmp.length) {
        mtimecmp[hart] = value;
        updateTimer(hart);
      }
    }
  }

  private void offset(long value) {
    offset = value;
    timeOffset.accept(value);
    for (int hart = 0; hart < timers.length; hart++) {
      updateTimer(hart);
    }
  }

  /** Drives the hart's timer line as it must be now, and arms the timer for its next change if that lies ahead. */
  private void updateTimer(int hart) {
    long guestTicks = clock.nanos() / NANOS_PER_TICK;
    long now = guestTicks + offset;
    boolean due = Long.compareUnsigned(now, mtimecmp[hart]) >= 0;
    long ticks = mtimecmp[hart] - now;
    if (due || ticks < 0 || ticks > Long.MAX_VALUE / NANOS_PER_TICK - guestTicks) {
      // Now, or centuries ahead.
      timers[hart].cancel();
    } else {
      timers[hart].arm((guestTicks + ticks) * NANOS_PER_TICK);
    }
    timerLines[hart].set(due);
  }

  /** mtimecmp has no reset value; all ones keeps the interrupt away until software asks for one. */
  @Override
  public void resetEnter() {
    Arrays.fill(msip, false);
    Arrays.fill(mtimecmp, -1);
    offset = 0;
    timeOffset.accept(0);
    for (VirtualClock.Timer timer : timers) {
      timer.cancel();
    }
  }

  @Override
  public void resetHold() {
    driveAll();
  }

  private void driveAll() {
    for (int hart = 0; hart < timers.length; hart++) {
      softwareLines[hart].set(msip[hart]);
      updateTimer(hart);
    }
  }

  @Override
  public Map<String, String> properties() {
    return Map.of("num-harts", Integer.toString(timers.length), "timebase-freq", Long.toString(FREQUENCY));
  }

  @Override
  public void save(StateWriter out) {
    long[] software = new long[msip.length];
    for (int i = 0; i < software.length; i++) {
      software[i] = msip[i] ? 1 : 0;
    }
    out.putLongs("msip", software);
    out.putLongs("mtimecmp", mtimecmp);
    out.putLong("mtimeOffset", offset);
  }

  @Override
  public void load(StateReader in, int version) throws StateException {
    long[] software = in.getLongs("msip", msip.length);
    long[] compare = in.getLongs("mtimecmp", mtimecmp.length);
    offset = in.getLong("mtimeOffset");
    timeOffset.accept(offset);
    System.arraycopy(compare, 0, mtimecmp, 0, compare.length);
    for (int i = 0; i < software.length; i++) {
      msip[i] = software[i] != 0;
    }
    driveAll();
  }

  @Override
  public void close() {
    for (VirtualClock.Timer timer : timers) {
      timer.cancel();
    }
  }
}
