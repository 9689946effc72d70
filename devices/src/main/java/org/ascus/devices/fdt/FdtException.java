package org.ascus.devices.fdt;

/** A device tree blob that cannot be read; the message says what is wrong and at which offset. */
public final class FdtException extends Exception {
  private static final long serialVersionUID = 1L;

  public FdtException(String message) {
    super(message);
  }
}
