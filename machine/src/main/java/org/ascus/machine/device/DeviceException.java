package org.ascus.machine.device;

/** A device that cannot be made as asked; the message is for the person who asked and names option and value. */
public final class DeviceException extends Exception {
  private static final long serialVersionUID = 1L;

  public DeviceException(String message) {
    super(message);
  }

  public DeviceException(String message, Throwable cause) {
    super(message, cause);
  }
}
