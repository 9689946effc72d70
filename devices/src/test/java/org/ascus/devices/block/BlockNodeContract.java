package org.ascus.devices.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What holds for every block node that can be written. */
public abstract class BlockNodeContract {
  /** A node whose bytes are {@code content}. */
  protected abstract BlockNode node(byte[] content) throws Exception;

  private static byte[] content(int size) {
    byte[] content = new byte[size];
    new Random(1).nextBytes(content);
    return content;
  }

  protected static byte[] read(BlockNode node, long offset, int length) throws BlockException {
    ByteBuffer target = ByteBuffer.allocate(length);
    node.read(offset, target);
    assertThat(target.hasRemaining()).isFalse();
    return target.array();
  }

  @Test
  void randomRequestsGiveWhatAnArrayWould() throws Exception {
    byte[] model = content(512 * 1500);
    Random random = new Random(2);
    try (BlockNode node = node(model.clone())) {
      assertThat(node.size()).isEqualTo(model.length);
      for (int i = 0; i < 400; i++) {
        int offset = random.nextInt(model.length);
        int length = random.nextInt(Math.min(model.length - offset, 1 << random.nextInt(19)) + 1);
        switch (random.nextInt(4)) {
          case 0 -> {
            byte[] bytes = new byte[length + 3];
            random.nextBytes(bytes);
            node.write(offset, ByteBuffer.wrap(bytes, 3, length));
            System.arraycopy(bytes, 3, model, offset, length);
          }
          case 1 -> {
            node.writeZeroes(offset, length, random.nextBoolean());
            Arrays.fill(model, offset, offset + length, (byte) 0);
          }
          case 2 -> {
            ByteBuffer target = ByteBuffer.allocateDirect(length);
            node.read(offset, target);
            byte[] got = new byte[length];
            target.flip().get(got);
            assertThat(got).isEqualTo(Arrays.copyOfRange(model, offset, offset + length));
          }
          default -> node.flush();
        }
      }
      assertThat(read(node, 0, model.length)).isEqualTo(model);
    }
  }

  @Test
  void requestsOfManyBuffersGiveWhatOneBufferWould() throws Exception {
    byte[] model = content(512 * 3000);
    Random random = new Random(3);
    try (BlockNode node = node(model.clone())) {
      for (int i = 0; i < 60; i++) {
        int length = random.nextInt(Math.min(model.length, 1 << 8 + random.nextInt(13))) + 1;
        int offset = random.nextInt(model.length - length + 1);
        ByteBuffer[] buffers = pieces(length, random);
        if (random.nextBoolean()) {
          byte[] bytes = new byte[length];
          random.nextBytes(bytes);
          System.arraycopy(bytes, 0, model, offset, length);
          int at = 0;
          for (ByteBuffer buffer : buffers) {
            buffer.put(buffer.position(), bytes, at, buffer.remaining());
            at += buffer.remaining();
          }
          node.write(offset, buffers);
        } else {
          node.read(offset, buffers);
          int at = offset;
          for (ByteBuffer buffer : buffers) {
            byte[] got = new byte[buffer.limit() - 1];
            buffer.get(1, got);
            assertThat(got).isEqualTo(Arrays.copyOfRange(model, at, at += got.length));
          }
        }
        assertThat(buffers).allMatch(b -> !b.hasRemaining());
      }
      assertThat(read(node, 0, model.length)).isEqualTo(model);
      ByteBuffer[] outside = {ByteBuffer.allocateDirect(512), ByteBuffer.allocateDirect(512)};
      assertThatThrownBy(() -> node.read(model.length - 600, outside)).isInstanceOf(BlockException.class);
    }
  }

  /** Buffers of random sizes, mostly pages, at position 1, with {@code length} bytes left in all. */
  private static ByteBuffer[] pieces(int length, Random random) {
    List<ByteBuffer> all = new ArrayList<>();
    boolean direct = random.nextInt(4) > 0;
    int page = random.nextInt(8) == 0 ? 512 : random.nextInt(8) == 1 ? 100_000 : 4096;
    for (int left = length; left > 0; ) {
      int count = Math.min(left, random.nextInt(3) == 0 ? random.nextInt(page) + 1 : page);
      all.add((direct ? ByteBuffer.allocateDirect(count + 1) : ByteBuffer.allocate(count + 1)).position(1));
      left -= count;
    }
    return all.toArray(ByteBuffer[]::new);
  }

  @Test
  void discardTouchesOnlyItsRange() throws Exception {
    byte[] model = content(512 * 1024);
    try (BlockNode node = node(model.clone())) {
      node.discard(100_000, 300_000);
      assertThat(read(node, 0, 100_000)).isEqualTo(Arrays.copyOf(model, 100_000));
      assertThat(read(node, 400_000, 100_000)).isEqualTo(Arrays.copyOfRange(model, 400_000, 500_000));
      byte[] again = content(4096);
      node.write(200_001, ByteBuffer.wrap(again));
      assertThat(read(node, 200_001, 4096)).isEqualTo(again);
    }
  }

  @Test
  void requestsOutsideFailAndChangeNothing() throws Exception {
    byte[] model = content(4096);
    try (BlockNode node = node(model.clone())) {
      long[][] bad = {{4096, 1}, {4000, 100}, {-1, 1}, {Long.MAX_VALUE, 1}};
      for (long[] b : bad) {
        ByteBuffer buffer = ByteBuffer.allocate((int) b[1]);
        assertThatThrownBy(() -> node.read(b[0], buffer))
            .isInstanceOf(BlockException.class)
            .hasMessageContaining("leaves");
        assertThatThrownBy(() -> node.write(b[0], buffer)).isInstanceOf(BlockException.class);
        assertThatThrownBy(() -> node.writeZeroes(b[0], b[1], false)).isInstanceOf(BlockException.class);
        assertThatThrownBy(() -> node.discard(b[0], b[1])).isInstanceOf(BlockException.class);
      }
      node.read(4096, ByteBuffer.allocate(0));
      assertThat(read(node, 0, 4096)).isEqualTo(model);
    }
  }

  @Test
  void anInterruptedThreadDoesNotCloseTheNodeForOthers() throws Exception {
    try (BlockNode node = node(content(4096))) {
      Thread.currentThread().interrupt();
      read(node, 0, 512);
      node.write(0, ByteBuffer.allocate(512));
      assertThat(Thread.interrupted()).isTrue();
      assertThat(read(node, 0, 512)).containsOnly(0);
    }
  }

  @Test
  void closingTwiceIsHarmless() throws Exception {
    BlockNode node = node(content(4096));
    node.close();
    node.close();
  }
}
