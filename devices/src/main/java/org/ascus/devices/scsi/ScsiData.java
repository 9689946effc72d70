package org.ascus.devices.scsi;

/** The buffers of a command. */
public interface ScsiData {
  /** Bytes that the initiator takes. */
  long inSize();

  /** Bytes that the initiator gives. */
  long outSize();

  /** Copies to the initiator's buffer; what does not fit is dropped. False when the command was given up meanwhile. */
  boolean toInitiator(long offset, byte[] data, int start, int length);

  /** Copies from the initiator's buffer; false when it is shorter or the command was given up meanwhile. */
  boolean fromInitiator(long offset, byte[] data, int start, int length);
}
