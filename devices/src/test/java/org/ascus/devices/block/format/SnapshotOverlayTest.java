package org.ascus.devices.block.format;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.BlockNodeContract;
import org.ascus.devices.block.protocol.FileProtocol;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SnapshotOverlayTest extends BlockNodeContract {
  @TempDir private Path dir;

  @Override
  protected BlockNode node(byte[] content) throws Exception {
    Path path = Files.write(dir.resolve("base.raw"), content);
    return new SnapshotOverlay(new RawFormat(FileProtocol.open(path, FileProtocol.Options.READ_ONLY)));
  }

  @Test
  void theBaseIsNeverWritten() throws Exception {
    byte[] content = new byte[512 * 600];
    new Random(3).nextBytes(content);
    try (BlockNode node = node(content)) {
      assertThat(node.readOnly()).isFalse();
      node.write(1000, ByteBuffer.allocate(200_000));
      node.flush();
      node.discard(0, content.length);
      node.writeZeroes(5, 100_000, true);
    }
    assertThat(Files.readAllBytes(dir.resolve("base.raw"))).isEqualTo(content);
  }

  @Test
  void commitWritesTheChangesToTheFileAndForgetsThem() throws Exception {
    byte[] content = new byte[3 * SnapshotOverlay.CLUSTER + 512];
    new Random(4).nextBytes(content);
    Path path = Files.write(dir.resolve("disk.raw"), content);
    ImageOptions options = new ImageOptions(path, "raw", false, true, true);
    try (BlockNode node = options.open()) {
      node.write(10, ByteBuffer.wrap(new byte[] {1, 2, 3}));
      node.discard(SnapshotOverlay.CLUSTER, SnapshotOverlay.CLUSTER);
      node.write(content.length - 1, ByteBuffer.wrap(new byte[] {9}));
      options.commit(node);
      node.write(0, ByteBuffer.wrap(new byte[] {7}));
    }
    System.arraycopy(new byte[] {1, 2, 3}, 0, content, 10, 3);
    java.util.Arrays.fill(content, SnapshotOverlay.CLUSTER, 2 * SnapshotOverlay.CLUSTER, (byte) 0);
    content[content.length - 1] = 9;
    assertThat(Files.readAllBytes(path)).isEqualTo(content);
  }

  @Test
  void discardedClustersReadAsZero() throws Exception {
    byte[] content = new byte[4 * SnapshotOverlay.CLUSTER];
    new Random(4).nextBytes(content);
    try (BlockNode node = node(content)) {
      node.write(0, ByteBuffer.wrap(content));
      node.discard(SnapshotOverlay.CLUSTER, 2L * SnapshotOverlay.CLUSTER);
      assertThat(read(node, SnapshotOverlay.CLUSTER, 2 * SnapshotOverlay.CLUSTER)).containsOnly(0);
      assertThat(read(node, 3L * SnapshotOverlay.CLUSTER, 1)[0]).isEqualTo(content[3 * SnapshotOverlay.CLUSTER]);
    }
  }
}
