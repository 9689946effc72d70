package org.ascus.devices.scsi;

import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;

/** The buffers of a command. */
public interface ScsiData {
  /** Bytes that the initiator takes. */
  long inSize();

  /** Bytes that the initiator gives. */
  long outSize();

  /** Copies to the start of the initiator's buffer; what does not fit is dropped. */
  void toInitiator(byte[] data, int length);

  /** Copies from the start of the initiator's buffer; false when it is shorter. */
  boolean fromInitiator(byte[] data, int length);

  /** Reads from byte {@code at} of a disk to the start of the initiator's buffer, in which there is room. */
  void read(BlockNode node, long at, long length) throws BlockException;

  /** Writes to byte {@code at} of a disk what is at the start of the initiator's buffer. */
  void write(BlockNode node, long at, long length) throws BlockException;
}
