package org.ascus.devices.block.protocol;

import java.nio.ByteBuffer;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.Extent;

/** {@code null-co} and {@code null-aio}: a disk that keeps nothing, to measure everything else with. */
final class NullNode implements BlockNode {
  private static final byte[] ZEROES = new byte[64 * 1024];

  private final Location.Null options;
  private final boolean readOnly;
  private volatile long size;

  NullNode(Location.Null options, boolean readOnly) {
    this.options = options;
    this.readOnly = readOnly;
    this.size = options.size();
  }

  @Override
  public String name() {
    return options.name();
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public boolean readOnly() {
    return readOnly;
  }

  private void request(long offset, long length) throws BlockException {
    checkRange(offset, length);
    long end = System.nanoTime() + options.latencyNanos();
    long left = options.latencyNanos();
    while (left > 0) {
      LockSupport.parkNanos(Math.min(left, TimeUnit.SECONDS.toNanos(1)));
      left = end - System.nanoTime();
    }
  }

  @Override
  public void read(long offset, ByteBuffer target) throws BlockException {
    request(offset, target.remaining());
    while (options.readZeroes() && target.hasRemaining()) {
      target.put(ZEROES, 0, Math.min(ZEROES.length, target.remaining()));
    }
    target.position(target.limit());
  }

  @Override
  public void write(long offset, ByteBuffer source) throws BlockException {
    checkWritable();
    request(offset, source.remaining());
    source.position(source.limit());
  }

  @Override
  public void flush() throws BlockException {
    request(0, 0);
  }

  @Override
  public void discard(long offset, long length) throws BlockException {
    checkWritable();
    request(offset, length);
  }

  @Override
  public void writeZeroes(long offset, long length, boolean mayUnmap) throws BlockException {
    checkWritable();
    request(offset, length);
  }

  @Override
  public Extent extent(long offset, long length) throws BlockException {
    checkRange(offset, length);
    return options.readZeroes() ? Extent.zero(length, OptionalLong.of(offset)) : Extent.data(length, offset);
  }

  @Override
  public void resize(long bytes) throws BlockException {
    checkWritable();
    size = bytes;
  }

  @Override
  public void close() {}
}
