package org.ascus.devices.irqchip;

import java.util.Arrays;
import org.ascus.machine.bus.BusDevice;
import org.ascus.machine.bus.MmioRegion;
import org.ascus.machine.clock.VirtualClock;
import org.ascus.machine.device.Device;
import org.ascus.machine.irq.IrqLine;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;

/**
 * SiFive's core-local interruptor: software interrupts and the machine timer of each hart (RISC-V ACLINT specification,
 * MSWI and MTIMER devices at their CLINT-compatible offsets).
 *
 * <pre>
 * 0x0000 + 4h  msip      bit 0 drives the software interrupt of hart h
 * 0x4000 + 8h  mtimecmp  the timer interrupt of hart h is high while mtime >= mtimecmp
 * 0xbff8       mtime     ticks of 100 ns
 * </pre>
 */
public final class Clint extends Device implements BusDevice {
  /** Bytes of the register window. */
  public static final long SIZE = 0x10000;

  private static final long TICK_NANOS = 100;
  private static final int MTIMECMP = 0x4000;
  private static final int MTIME = 0xbff8;

  private final VirtualClock clock;
  private final IrqLine[] software;
  private final IrqLine[] timer;
  private final VirtualClock.Timer[] timers;
  private final int[] msip;
  private final long[] mtimecmp;
  private final MmioRegion region;
  private long offset;

  /**
   * @param software machine software interrupt of each hart
   * @param timer machine timer interrupt of each hart
   */
  public Clint(String id, VirtualClock clock, IrqLine[] software, IrqLine[] timer) {
    super("riscv.clint", id);
    this.clock = clock;
    this.software = software.clone();
    this.timer = timer.clone();
    this.msip = new int[software.length];
    this.mtimecmp = new long[software.length];
    this.timers = new VirtualClock.Timer[software.length];
    for (int h = 0; h < timers.length; h++) {
      int hart = h;
      timers[h] = clock.newTimer(confined(() -> update(hart)));
    }
    this.region = new MmioRegion("riscv.clint", SIZE, this, lock());
  }

  public MmioRegion region() {
    return region;
  }

  /** Ticks since reset. */
  private long mtime() {
    return clock.nanos() / TICK_NANOS + offset;
  }

  private void update(int hart) {
    timers[hart].cancel();
    long now = mtime();
    boolean due = Long.compareUnsigned(now, mtimecmp[hart]) >= 0;
    timer[hart].set(due);
    if (!due && Long.compareUnsigned(mtimecmp[hart] - offset, Long.MAX_VALUE / TICK_NANOS) < 0) {
      timers[hart].arm((mtimecmp[hart] - offset) * TICK_NANOS);
    }
  }

  @Override
  public long read(long at, int width) {
    long whole = readLong(at & ~7L);
    return whole >>> (8 * (at & 7));
  }

  private long readLong(long at) {
    if (at == MTIME) {
      return mtime();
    }
    if (at >= MTIMECMP && at < MTIMECMP + 8L * mtimecmp.length) {
      return mtimecmp[(int) (at - MTIMECMP) / 8];
    }
    long value = 0;
    for (int i = 0; i < 2; i++) {
      int hart = (int) (at / 4) + i;
      value |= at < MTIMECMP && hart < msip.length ? (long) msip[hart] << (32 * i) : 0;
    }
    return value;
  }

  @Override
  public void write(long at, int width, long value) {
    if (width < 4) {
      return;
    }
    if (at < MTIMECMP) {
      writeMsip((int) (at / 4), value);
      if (width == 8) {
        writeMsip((int) (at / 4) + 1, value >>> 32);
      }
      return;
    }
    long aligned = at & ~7L;
    long whole = value;
    if (width == 4) {
      int shift = (int) (at & 4) * 8;
      whole = readLong(aligned) & ~(0xffffffffL << shift) | (value & 0xffffffffL) << shift;
    }
    if (aligned == MTIME) {
      offset = whole - clock.nanos() / TICK_NANOS;
      for (int h = 0; h < mtimecmp.length; h++) {
        update(h);
      }
    } else if (aligned < MTIMECMP + 8L * mtimecmp.length) {
      int hart = (int) (aligned - MTIMECMP) / 8;
      mtimecmp[hart] = whole;
      update(hart);
    }
  }

  private void writeMsip(int hart, long value) {
    if (hart < msip.length) {
      msip[hart] = (int) value & 1;
      software[hart].set(msip[hart] != 0);
    }
  }

  @Override
  public AccessSizes accessSizes() {
    return AccessSizes.ANY;
  }

  @Override
  public void resetEnter() {
    Arrays.fill(msip, 0);
    Arrays.fill(mtimecmp, -1L);
    offset = 0;
  }

  @Override
  public void resetHold() {
    for (int h = 0; h < msip.length; h++) {
      software[h].set(false);
      update(h);
    }
  }

  @Override
  public void save(StateWriter out) {
    out.putInts("msip", msip);
    out.putLongs("mtimecmp", mtimecmp);
    out.putLong("offset", offset);
  }

  @Override
  public void load(StateReader in, int version) throws StateException {
    long[] levels = in.getLongs("msip", msip.length);
    for (int h = 0; h < msip.length; h++) {
      msip[h] = (int) levels[h] & 1;
      software[h].set(msip[h] != 0);
    }
    System.arraycopy(in.getLongs("mtimecmp", mtimecmp.length), 0, mtimecmp, 0, mtimecmp.length);
    offset = in.getLong("offset");
    for (int h = 0; h < msip.length; h++) {
      update(h);
    }
  }
}
