package org.ascus.machine.bus;

/** A bus access that nothing answers. Preallocated and without a stack trace: guests can cause it at will. */
public final class BusFault extends Exception {
  private static final long serialVersionUID = 1L;

  /** Thrown for an address that nothing is mapped at, or an access that crosses regions. */
  public static final BusFault UNASSIGNED = new BusFault("no memory or device at this address");

  private BusFault(String message) {
    super(message, null, false, false);
  }
}
