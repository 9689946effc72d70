package org.ascus.devices.rtc;

import java.time.Instant;
import java.util.Map;
import org.ascus.machine.bus.BusDevice;
import org.ascus.machine.bus.MmioRegion;
import org.ascus.machine.clock.VirtualClock;
import org.ascus.machine.device.Device;
import org.ascus.machine.irq.IrqLine;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;

/**
 * The real-time clock of Android's Goldfish platform (its {@code GOLDFISH-VIRTUAL-HARDWARE} text, section "RTC"): UTC
 * in nanoseconds since 1970, with an alarm.
 *
 * <pre>
 * 0x00 TIME_LOW         read: bits 31:0 of the time, and latches bits 63:32; write: sets bits 31:0
 * 0x04 TIME_HIGH        read: the latched bits 63:32; write: sets bits 63:32
 * 0x08 ALARM_LOW        bits 31:0 of the alarm; a write arms it
 * 0x0c ALARM_HIGH       bits 63:32 of the alarm
 * 0x10 IRQ_ENABLED      bit 0
 * 0x14 CLEAR_ALARM      a write disarms the alarm
 * 0x18 ALARM_STATUS     1 while the alarm is armed
 * 0x1c CLEAR_INTERRUPT  a write lowers the interrupt
 * </pre>
 *
 * <p>The date goes on with guest time: it stands still while the machine is paused, and is part of its state.
 */
public final class GoldfishRtc extends Device implements BusDevice {
  /** Bytes of the register window on the virt board. */
  public static final long SIZE = 0x1000;

  private final VirtualClock clock;
  private final IrqLine irq;
  private final VirtualClock.Timer timer;
  private final MmioRegion region;
  /** The date at guest time 0, in nanoseconds since 1970. */
  private long base;
  private long alarm;
  private boolean armed;
  private boolean pending;
  private boolean enabled;
  private int latchedHigh;

  /**
   * @param epoch the date at guest time 0, in nanoseconds since 1970-01-01 UTC
   */
  public GoldfishRtc(String id, VirtualClock clock, IrqLine irq, long epoch) {
    super("goldfish_rtc", id);
    this.clock = clock;
    this.irq = irq;
    this.timer = clock.newTimer(confined(this::alarmDue));
    this.region = new MmioRegion(type(), SIZE, this, lock());
    this.base = epoch;
  }

  public MmioRegion region() {
    return region;
  }

  @Override
  public AccessSizes accessSizes() {
    return AccessSizes.WORD;
  }

  private long time() {
    return base + clock.nanos();
  }

  @Override
  public long read(long offset, int width) {
    return switch ((int) offset & ~3) {
      case 0x00 -> {
        long now = time();
        latchedHigh = (int) (now >>> 32);
        yield now;
      }
      case 0x04 -> latchedHigh;
      case 0x08 -> alarm;
      case 0x0c -> alarm >>> 32;
      case 0x10 -> enabled ? 1 : 0;
      case 0x18 -> armed ? 1 : 0;
      default -> 0;
    };
  }

  @Override
  public void write(long offset, int width, long value) {
    switch ((int) offset & ~3) {
      case 0x00 -> setTime(low(time(), value));
      case 0x04 -> setTime(high(time(), value));
      case 0x08 -> {
        alarm = low(alarm, value);
        armed = true;
        alarmDue();
      }
      case 0x0c -> alarm = high(alarm, value);
      case 0x10 -> enabled = (value & 1) != 0;
      case 0x14 -> disarm();
      case 0x1c -> pending = false;
      default -> {}
    }
    irq.set(pending && enabled);
  }

  private static long low(long old, long value) {
    return old & ~0xffffffffL | value & 0xffffffffL;
  }

  private static long high(long old, long value) {
    return old & 0xffffffffL | value << 32;
  }

  private void setTime(long now) {
    base = now - clock.nanos();
    alarmDue();
  }

  private void disarm() {
    armed = false;
    timer.cancel();
  }

  /** Raises the interrupt if the alarm is due, or waits until it is. */
  private void alarmDue() {
    if (!armed) {
      return;
    }
    long wait = alarm - time();
    if (wait <= 0) {
      disarm();
      pending = true;
    } else if (wait <= Long.MAX_VALUE - clock.nanos()) {
      timer.arm(clock.nanos() + wait);
    } else {
      timer.cancel();
    }
    irq.set(pending && enabled);
  }

  /** The date goes on over a reset, as with a battery. */
  @Override
  public void resetEnter() {
    disarm();
    alarm = 0;
    pending = false;
    enabled = false;
    latchedHigh = 0;
  }

  @Override
  public void resetHold() {
    irq.set(false);
  }

  @Override
  public Map<String, String> properties() {
    long now = time();
    return Map.of(
        "date", Instant.ofEpochSecond(now / 1_000_000_000L, now % 1_000_000_000L).toString());
  }

  @Override
  public void save(StateWriter out) {
    out.putLong("base", base);
    out.putLong("alarm", alarm);
    out.putBoolean("armed", armed);
    out.putBoolean("pending", pending);
    out.putBoolean("enabled", enabled);
    out.putLong("latchedHigh", latchedHigh);
  }

  @Override
  public void load(StateReader in, int version) throws StateException {
    base = in.getLong("base");
    alarm = in.getLong("alarm");
    boolean wasArmed = in.getBoolean("armed");
    pending = in.getBoolean("pending");
    enabled = in.getBoolean("enabled");
    latchedHigh = in.getInt("latchedHigh");
    disarm();
    armed = wasArmed;
    irq.set(pending && enabled);
    alarmDue();
  }

  @Override
  public void close() {
    timer.cancel();
  }
}
