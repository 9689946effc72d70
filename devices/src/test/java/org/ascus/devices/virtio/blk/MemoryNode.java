package org.ascus.devices.virtio.blk;

import java.nio.ByteBuffer;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;

/** A disk in memory that can be held up and can fail. */
final class MemoryNode implements BlockNode {
  final byte[] bytes;
  final AtomicInteger requests = new AtomicInteger();
  final AtomicInteger flushes = new AtomicInteger();
  volatile CountDownLatch gate = new CountDownLatch(0);
  volatile CountDownLatch flushGate = new CountDownLatch(0);
  volatile CountDownLatch entered = new CountDownLatch(0);
  volatile long badByte = -1;
  volatile boolean readOnly;

  MemoryNode(int size) {
    bytes = new byte[size];
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
    request(offset, length);
  }

  @Override
  public void writeZeroes(long offset, long length, boolean mayUnmap) throws BlockException {
    request(offset, length);
    synchronized (bytes) {
      java.util.Arrays.fill(bytes, (int) offset, (int) (offset + length), (byte) 0);
    }
  }

  @Override
  public void close() {}
}
