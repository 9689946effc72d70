package org.ascus.devices.net.e1000e;

import org.ascus.machine.clock.VirtualClock;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;

/**
 * The clock for IEEE 1588 (section 7.8): each so many ticks of 25 MHz, as TIMINCA says in bits 24 to 31, SYSTIM grows
 * by what it says in bits 0 to 23.
 */
final class TimeSync {
  private static final int TICK_NANOS = 40;

  private final VirtualClock clock;
  private long base;
  private long start;
  private int increment;
  private int high;

  TimeSync(VirtualClock clock) {
    this.clock = clock;
  }

  void reset() {
    base = 0;
    start = clock.nanos();
    increment = 0;
    high = 0;
  }

  private long now() {
    long period = Math.max(1, increment >>> 24) * (long) TICK_NANOS;
    return base + (clock.nanos() - start) / period * (increment & 0xff_ffff);
  }

  void setIncrement(int timinca) {
    base = now();
    start = clock.nanos();
    increment = timinca;
  }

  /** The low half; the high one is held for the next read. */
  int readLow() {
    long now = now();
    high = (int) (now >>> 32);
    return (int) now;
  }

  int readHigh() {
    return high;
  }

  void write(boolean upper, int value) {
    long bits = value & 0xffff_ffffL;
    base = upper ? now() & 0xffff_ffffL | bits << 32 : now() & ~0xffff_ffffL | bits;
    start = clock.nanos();
  }

  void save(StateWriter out) {
    out.putLongs("systim", base, start, increment, high);
  }

  void load(StateReader in) throws StateException {
    long[] saved = in.getLongs("systim", 4);
    base = saved[0];
    start = saved[1];
    increment = (int) saved[2];
    high = (int) saved[3];
  }
}
