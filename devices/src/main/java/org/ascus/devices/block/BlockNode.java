package org.ascus.devices.block;

import java.nio.ByteBuffer;
import java.util.OptionalLong;

/**
 * A node of the block graph: {@link #size} bytes that are read and written at any offset.
 *
 * <p>Contract:
 *
 * <ul>
 *   <li>Calls block until they are done and may come from any number of threads at once; whoever wants them to run in
 *       the background brings the thread. Requests that overlap and are not ordered by their callers may be done in any
 *       order; ordered ones see each other.
 *   <li>Offsets and lengths are in bytes, not aligned to anything, and lie inside [0, {@link #size}); others fail with
 *       a {@link BlockException} and change nothing.
 *   <li>What was written before a {@link #flush} is on stable storage after it. A write that failed may have been done
 *       in part.
 *   <li>A buffer is read or filled from its position to its limit; its position is at the limit after success. It may
 *       be guest memory, which somebody else changes meanwhile: what must be checked is copied first.
 * </ul>
 */
public interface BlockNode extends AutoCloseable {
  /** What a person would call it: a file name. */
  String name();

  /** The name of the image's format. */
  default String format() {
    return "raw";
  }

  long size();

  boolean readOnly();

  /** Whether each write is on stable storage when it is done, so that nobody need flush. */
  default boolean writeThrough() {
    return false;
  }

  void read(long offset, ByteBuffer target) throws BlockException;

  void write(long offset, ByteBuffer source) throws BlockException;

  /** Fills several buffers, one after the other, from {@code offset} on: as one request where that can be. */
  default void read(long offset, ByteBuffer[] targets) throws BlockException {
    Gathering.read(this, offset, targets);
  }

  /** Writes several buffers, one after the other, to {@code offset} on: as one request where that can be. */
  default void write(long offset, ByteBuffer[] sources) throws BlockException {
    Gathering.write(this, offset, sources);
  }

  void flush() throws BlockException;

  /** The bytes are not needed any more; they read as anything or as before until they are written again. */
  void discard(long offset, long length) throws BlockException;

  /**
   * Makes the bytes zero.
   *
   * @param mayUnmap whether the storage may be given back instead of being written
   */
  void writeZeroes(long offset, long length, boolean mayUnmap) throws BlockException;

  /**
   * What is known of the bytes from {@code offset} on without reading them.
   *
   * @param length bytes to look at, more than 0
   * @return something about the first of them
   */
  default Extent extent(long offset, long length) throws BlockException {
    checkRange(offset, length);
    return Extent.data(length, offset);
  }

  /**
   * Gives bytes a place on the disk without writing them, and makes the node longer if they are behind its end. Those
   * that had no place read as zero.
   *
   * @return false, and nothing has changed, if the storage cannot do that
   */
  default boolean allocate(long offset, long length) throws BlockException {
    return false;
  }

  /** Whoever uses the node is about to do what {@code event} says; of interest to those who look for errors. */
  default void event(DebugEvent event) {}

  /** Bytes that the node has on the host's disk, where that can be told. */
  default OptionalLong allocatedBytes() {
    return OptionalLong.empty();
  }

  /** Changes the size; new bytes read as zero. */
  default void resize(long bytes) throws BlockException {
    throw new BlockException("'" + name() + "' cannot be resized");
  }

  /** Makes everything durable that was written and lets go of the host's resources. Harmless when repeated. */
  @Override
  void close() throws BlockException;

  /** Fails when [offset, offset + length) is not inside the node. */
  default void checkRange(long offset, long length) throws BlockException {
    if (offset < 0 || length < 0 || offset > size() - length) {
      throw new BlockException(
          name() + ": request of " + length + " bytes at " + offset + " leaves the node of " + size() + " bytes");
    }
  }

  /** Bytes that several buffers hold from their positions to their limits. */
  static long remaining(ByteBuffer[] buffers) {
    long sum = 0;
    for (ByteBuffer buffer : buffers) {
      sum += buffer.remaining();
    }
    return sum;
  }

  /** Fails when the node is read-only. */
  default void checkWritable() throws BlockException {
    if (readOnly()) {
      throw new BlockException("Block node '" + name() + "' is read-only");
    }
  }
}
