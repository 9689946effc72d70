package org.ascus.machine.irq;

/** The receiving end of an interrupt wire. {@code set} may be called by any thread and returns at once. */
@FunctionalInterface
public interface IrqLine {
  /** A wire that ends nowhere. */
  IrqLine NONE = level -> {};

  /** Drives the wire high or low; driving it to the level it has is harmless. */
  void set(boolean level);

  /** An edge: high, then low. */
  default void pulse() {
    set(true);
    set(false);
  }
}
