package org.ascus.devices.dma;

/**
 * A guest named an address for a transfer that is not there or must not be written; the message names it. Without a
 * stack trace: guests cause it at will.
 */
public final class DmaException extends Exception {
  private static final long serialVersionUID = 1L;

  DmaException(String message) {
    super(message, null, false, false);
  }
}
