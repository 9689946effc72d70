package org.ascus.devices;

import org.ascus.machine.irq.IrqLine;

/** The far end of an interrupt line: remembers its level and how often it rose. */
public final class Wire implements IrqLine {
  private boolean level;
  private int rises;

  @Override
  public synchronized void set(boolean high) {
    if (high && !level) {
      rises++;
    }
    level = high;
  }

  public synchronized boolean isHigh() {
    return level;
  }

  public synchronized int rises() {
    return rises;
  }
}
