package org.ascus.devices.block;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** A disk in memory that can be held up and can fail. */
public final class MemoryNode implements BlockNode {
  public final byte[] bytes;
  public final AtomicInteger requests = new AtomicInteger();
  public final AtomicInteger flushes = new AtomicInteger();
  public volatile CountDownLatch gate = new CountDownLatch(0);
  public volatile CountDownLatch flushGate = new CountDownLatch(0);
  public volatile CountDownLatch entered = new CountDownLatch(0);
  public volatile long badByte = -1;
  public volatile boolean readOnly;

  /** A disk of zeroes. */
  public MemoryNode(int size) {
    this(new byte[size]);
  }

  private MemoryNode(byte[] bytes) {
    this.bytes = bytes;
  }

  /** A disk of those bytes that is only read. */
  public static MemoryNode readOnly(byte[] bytes) {
    MemoryNode node = new MemoryNode(bytes);
    node.readOnly = true;
    return node;
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private void request(long offset, long length) throws BlockException {
    requests.incrementAndGet();
    entered.countDown();
    await(gate);
    checkRange(offset, length);
    if (badByte >= offset && badByte < offset + length) {
      throw new BlockException("bad medium");
    }
  }

  @Override
  public String name() {
    return "memory";
  }

  @Override
  public long size() {
    return bytes.length;
  }

  @Override
  public boolean readOnly() {
    return readOnly;
  }

  @Override
  public void read(long offset, ByteBuffer target) throws BlockException {
    request(offset, target.remaining());
    synchronized (bytes) {
      target.put(bytes, (int) offset, target.remaining());
    }
  }

  @Override
  public void write(long offset, ByteBuffer source) throws BlockException {
    checkWritable();
    request(offset, source.remaining());
    synchronized (bytes) {
      source.get(bytes, (int) offset, source.remaining());
    }
  }

  @Override
  public void flush() {
    flushes.incrementAndGet();
    await(flushGate);
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
    synchronized (bytes) {
      Arrays.fill(bytes, (int) offset, (int) (offset + length), (byte) 0);
    }
  }

  @Override
  public void close() {}
}
