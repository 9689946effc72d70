package org.ascus.devices.block.format.qcow2;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;

/** A file in memory whose power can fail: what was not flushed is there or not, write by write. */
final class CrashNode implements BlockNode {
  private static final int MAX_SIZE = 1 << 22;

  private record Write(long offset, byte[] bytes) {}

  private final List<Write> unflushed = new ArrayList<>();
  private byte[] now;
  private byte[] durable;
  private int writesLeft = Integer.MAX_VALUE;

  CrashNode(byte[] content) {
    now = content.clone();
    durable = content.clone();
  }

  /** The power fails after so many writes. */
  void failAfter(int writes) {
    writesLeft = writes;
  }

  /** What a kill leaves: every write that was made. */
  byte[] afterKill() {
    return now.clone();
  }

  /** What a power failure may leave. */
  byte[] afterPowerFailure(Random random) {
    byte[] left = durable.clone();
    for (Write write : unflushed) {
      if (random.nextBoolean()) {
        left = put(left, write);
      }
    }
    return left;
  }

  private static byte[] put(byte[] into, Write write) {
    int end = (int) write.offset() + write.bytes().length;
    byte[] result = end > into.length ? Arrays.copyOf(into, end) : into;
    System.arraycopy(write.bytes(), 0, result, (int) write.offset(), write.bytes().length);
    return result;
  }

  @Override
  public String name() {
    return "crash";
  }

  @Override
  public long size() {
    return now.length;
  }

  @Override
  public boolean readOnly() {
    return false;
  }

  @Override
  public void read(long offset, ByteBuffer target) {
    int there = Math.clamp(now.length - offset, 0, target.remaining());
    if (there > 0) {
      target.put(now, (int) offset, there);
    }
    ClusterReader.zero(target);
  }

  /** The power has failed: nothing is done any more. */
  static final class PowerFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  @Override
  public void write(long offset, ByteBuffer source) throws BlockException {
    if (offset + source.remaining() > MAX_SIZE) {
      throw new BlockException("crash: File too large");
    }
    if (writesLeft-- <= 0) {
      throw new PowerFailure();
    }
    byte[] bytes = new byte[source.remaining()];
    source.get(bytes);
    Write write = new Write(offset, bytes);
    now = put(now, write);
    unflushed.add(write);
  }

  @Override
  public void flush() {
    if (writesLeft <= 0) {
      throw new PowerFailure();
    }
    durable = now.clone();
    unflushed.clear();
  }

  @Override
  public void discard(long offset, long length) {}

  @Override
  public void writeZeroes(long offset, long length, boolean mayUnmap) throws BlockException {
    if (length > MAX_SIZE) {
      throw new BlockException("crash: File too large");
    }
    write(offset, ByteBuffer.allocate((int) length));
  }

  @Override
  public void resize(long bytes) {
    now = Arrays.copyOf(now, (int) bytes);
    durable = Arrays.copyOf(durable, (int) bytes);
  }

  @Override
  public void close() {}
}
