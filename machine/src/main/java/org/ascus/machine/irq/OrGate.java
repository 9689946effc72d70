package org.ascus.machine.irq;

import java.util.concurrent.atomic.AtomicLong;

/** Joins up to 64 wires into one that is high while any of them is. */
public final class OrGate {
  private final AtomicLong levels = new AtomicLong();
  private final IrqLine output;

  public OrGate(IrqLine output) {
    this.output = output;
  }

  /** Input number {@code index}, 0 to 63. */
  public IrqLine input(int index) {
    if (index < 0 || index > 63) {
      throw new IllegalArgumentException("input " + index);
    }
    long bit = 1L << index;
    return level -> {
      synchronized (this) {
        long now = level ? levels.get() | bit : levels.get() & ~bit;
        levels.set(now);
        output.set(now != 0);
      }
    };
  }
}
