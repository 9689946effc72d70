package org.ascus.launcher.img;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.Extent;
import org.ascus.devices.block.filter.FilterNode;
import org.ascus.devices.block.format.ImageOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ReadAheadTest {
  private static final int PIECE = 4096;

  @TempDir private Path dir;

  private BlockNode node(byte[] content) throws Exception {
    Path file = Files.write(dir.resolve("disk.raw"), content);
    return new ImageOptions(file, "raw", false, false, false).open();
  }

  private static byte[] random(int bytes) {
    byte[] content = new byte[bytes];
    new Random(1).nextBytes(content);
    return content;
  }

  @Test
  void piecesAreTheImageInOrder() throws Exception {
    byte[] content = random(20 * PIECE + 512);
    ByteBuffer all = ByteBuffer.allocate(content.length);
    try (BlockNode node = node(content); ReadAhead reader = new ReadAhead(node, PIECE, false)) {
      for (ReadAhead.Piece piece = reader.next(); piece.length() > 0; piece = reader.next()) {
        assertThat(piece.at()).isEqualTo(all.position());
        all.put(piece.bytes().orElseThrow());
      }
    }
    assertThat(all.array()).isEqualTo(content);
  }

  @Test
  void failureComesBehindThePiecesBeforeIt() throws Exception {
    try (BlockNode node = node(random(8 * PIECE))) {
      try (ReadAhead reader = new ReadAhead(failing(node, 2 * PIECE), PIECE, false)) {
        assertThat(reader.next().at()).isZero();
        assertThat(reader.next().at()).isEqualTo(PIECE);
        assertThatThrownBy(reader::next).isInstanceOf(BlockException.class).hasMessage("bad sector");
      }
    }
  }

  @Test
  void whatIsStoredInOnePlaceIsAskedForOnce() throws Exception {
    AtomicInteger asked = new AtomicInteger();
    try (BlockNode node = node(random(20 * PIECE))) {
      BlockNode counting = new FilterNode(node) {
        @Override
        public Extent extent(long offset, long length) throws BlockException {
          asked.incrementAndGet();
          return super.extent(offset, length);
        }
      };
      try (ReadAhead reader = new ReadAhead(counting, PIECE, false)) {
        for (long length = 1; length > 0; ) {
          length = reader.next().length();
        }
      }
    }
    assertThat(asked).hasValue(1);
  }

  @Test
  void closingEndsAReaderThatIsFarAhead() throws Exception {
    try (BlockNode node = node(random(100 * PIECE))) {
      ReadAhead reader = new ReadAhead(node, PIECE, false);
      assertThat(reader.next().at()).isZero();
      reader.close();
      assertThat(node.size()).isEqualTo(100 * PIECE);
    }
  }

  /** Fails to read from an offset on. */
  private static BlockNode failing(BlockNode node, long from) {
    return new FilterNode(node) {
      @Override
      public void read(long offset, ByteBuffer target) throws BlockException {
        if (offset >= from) {
          throw new BlockException("bad sector");
        }
        super.read(offset, target);
      }
    };
  }
}
