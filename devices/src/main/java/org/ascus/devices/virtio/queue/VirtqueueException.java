package org.ascus.devices.virtio.queue;

/** The driver broke the rules of a virtqueue; the message says how. Without a stack trace: guests cause it at will. */
public final class VirtqueueException extends Exception {
  private static final long serialVersionUID = 1L;

  public VirtqueueException(String message) {
    super(message, null, false, false);
  }
}
