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
