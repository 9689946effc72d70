package org.ascus.devices.block.format.qcow2;

import java.nio.ByteBuffer;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.DebugEvent;

/**
 * The file that holds an image's tables. Numbers in it are big-endian. It grows when written past its end, and reads
 * as zero there.
 */
record ImageFile(BlockNode node) {
  byte[] read(long offset, int bytes) throws BlockException {
    ByteBuffer target = ByteBuffer.allocate(bytes);
    node.read(offset, target);
    return target.array();
  }

  void read(long offset, ByteBuffer target) throws BlockException {
    node.read(offset, target);
  }

  void write(long offset, ByteBuffer source) throws BlockException {
    node.write(offset, source);
  }

  void writeLong(long offset, long value) throws BlockException {
    node.write(offset, ByteBuffer.allocate(Long.BYTES).putLong(value).flip());
  }

  long[] readLongs(long offset, int count) throws BlockException {
    long[] values = new long[count];
    ByteBuffer.wrap(read(offset, count * Long.BYTES)).asLongBuffer().get(values);
    return values;
  }

  void writeLongs(long offset, long[] values) throws BlockException {
    ByteBuffer bytes = ByteBuffer.allocate(values.length * Long.BYTES);
    bytes.asLongBuffer().put(values);
    node.write(offset, bytes);
  }

  void zero(long offset, long bytes) throws BlockException {
    if (bytes > 0 && offset < node.size()) {
      node.writeZeroes(offset, bytes, false);
    }
  }

  void event(DebugEvent event) {
    node.event(event);
  }

  void flush() throws BlockException {
    node.flush();
  }

  long size() {
    return node.size();
  }

  /** The error for an image that breaks the format's rules. */
  BlockException corrupt(String what) {
    return new BlockException("'" + node.name() + "' is a corrupt qcow2 image: " + what);
  }

  BlockException failure(String what) {
    return new BlockException("'" + node.name() + "': " + what);
  }
}
