package org.ascus.devices.block.filter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Optional;
import java.util.Random;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.BlockNodeContract;
import org.ascus.devices.block.format.ImageOptions;
import org.ascus.devices.block.format.qcow2.Qcow2Check;
import org.ascus.devices.block.format.qcow2.Qcow2Node;
import org.ascus.devices.block.format.qcow2.Qcow2Options;
import org.ascus.devices.block.protocol.FileProtocol;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What holds for every block node, through filters. */
class FilterContractTest {
  @TempDir private Path dir;

  private static ImageOptions qcow2(Path dir, byte[] base, int cluster) throws Exception {
    Path path = dir.resolve("disk.qcow2");
    Files.write(dir.resolve("base.raw"), base);
    Files.createFile(path);
    Qcow2Options options =
        Qcow2Options.of(base.length).withBacking("base.raw", "raw").withClusterSize(cluster);
    Qcow2Node.create(FileProtocol.open(path, new FileProtocol.Options(false, true, true)), options,
        new Qcow2Node.Files() {
          @Override
          public Optional<BlockNode> backing(String name, String format) {
            return Optional.empty();
          }

          @Override
          public BlockNode data(String name) throws BlockException {
            throw new BlockException(name);
          }
        }).close();
    return new ImageOptions(path, "qcow2", false, false, true);
  }

  private static ThrottleGroup generous() throws BlockException {
    return new ThrottleGroup(ThrottleLimits.read((name, otherwise) -> name.equals("iops-total") ? 1 << 30 : otherwise));
  }

  @Nested
  class CopiesAndLimits extends BlockNodeContract {
    @Override
    protected BlockNode node(byte[] content) throws Exception {
      return qcow2(dir, content, 4096).withFilter(new Filter.CopyOnRead())
          .withFilter(new Filter.Throttle(generous())).open();
    }
  }

  @Nested
  class Compresses extends BlockNodeContract {
    @Override
    protected BlockNode node(byte[] content) throws Exception {
      return qcow2(dir, content, 65536).withFilter(new Filter.Compress()).open();
    }
  }

  @Nested
  class Verifies extends BlockNodeContract {
    @Override
    protected BlockNode node(byte[] content) throws Exception {
      Files.write(dir.resolve("raw"), content);
      return qcow2(dir, content, 65536).withFilter(new Filter.Blkdebug(BlkdebugRules.read(new HashMap<>())))
          .withFilter(new Filter.Blkverify(ImageOptions.raw(dir.resolve("raw")))).open();
    }
  }

  @Test
  void whatDiffersFromTheRawImageIsNotRead() throws Exception {
    byte[] base = random(1 << 20);
    Files.write(dir.resolve("raw"), base);
    ImageOptions image = qcow2(dir, base, 65536);
    try (BlockNode node = image.open()) {
      node.write(70_000, ByteBuffer.allocate(1));
    }
    try (BlockNode node = image.withFilter(new Filter.Blkverify(ImageOptions.raw(dir.resolve("raw")))).open()) {
      node.read(0, ByteBuffer.allocate(70_000));
      assertThatThrownBy(() -> node.read(65536, ByteBuffer.allocate(10_000)))
          .hasMessageContaining("contents mismatch at offset 70000");
    }
  }

  @Test
  void rulesLetRequestsFail() throws Exception {
    Files.write(dir.resolve("raw"), new byte[1 << 20]);
    BlkdebugRules rules = BlkdebugRules.parse("""
        # Fails once, later always at a sector.
        [inject-error]
        event = "read_aio"
        errno = "28"
        once = "on"
        [set-state]
        event = "flush_to_disk"
        new_state = "2"
        [inject-error]
        event = "none"
        iotype = "write"
        state = "2"
        sector = "3"
        """);
    try (BlockNode node = ImageOptions.raw(dir.resolve("raw")).withFilter(new Filter.Blkdebug(rules)).open()) {
      node.write(0, ByteBuffer.allocate(4096));
      assertThatThrownBy(() -> node.read(0, ByteBuffer.allocate(512))).hasMessageContaining("No space left on device");
      node.read(0, ByteBuffer.allocate(512));
      node.flush();
      node.write(0, ByteBuffer.allocate(1536));
      node.write(2048, ByteBuffer.allocate(512));
      assertThatThrownBy(() -> node.write(1024, ByteBuffer.allocate(1024))).hasMessageContaining("Input/output error");
      node.read(1536, ByteBuffer.allocate(512));
    }
    for (String bad : new String[] {"[inject-error]\nevent = nosuch", "[inject-error]\nerrno = 5", "x", "[x]",
        "[inject-error]\nevent = none\nx = 1", "[inject-error]\nevent = none\nonce = 1"}) {
      assertThatThrownBy(() -> BlkdebugRules.parse(bad)).isInstanceOf(BlockException.class);
    }
  }

  private static byte[] random(int size) {
    byte[] bytes = new byte[size];
    new Random(8).nextBytes(bytes);
    return bytes;
  }

  @Test
  void whatWasReadIsInTheImageAfterwards() throws Exception {
    byte[] base = random(1 << 20);
    java.util.Arrays.fill(base, 300_000, 600_000, (byte) 0);
    ImageOptions image = qcow2(dir, base, 65536);
    try (BlockNode node = image.withFilter(new Filter.CopyOnRead()).open()) {
      node.read(100_000, ByteBuffer.allocate(400_000));
    }
    try (BlockNode node = image.open()) {
      assertThat(node.extent(65536, 1).depth()).isZero();
      assertThat(node.extent(400_000, 1).depth()).isZero();
      assertThat(node.extent(0, 1).depth()).isEqualTo(1);
      assertThat(node.extent(700_000, 1).depth()).isEqualTo(1);
      ByteBuffer all = ByteBuffer.allocate(base.length);
      node.read(0, all);
      assertThat(all.array()).isEqualTo(base);
    }
  }

  @Test
  void compressedClustersTakeLessRoomAndCanBeWrittenAgain() throws Exception {
    ImageOptions image = qcow2(dir, new byte[4 << 20], 65536);
    byte[] text = new byte[4 << 20];
    Random random = new Random(9);
    for (int i = 0; i < text.length; i++) {
      text[i] = (byte) ('a' + random.nextInt(4));
    }
    try (BlockNode node = image.withFilter(new Filter.Compress()).open()) {
      node.write(0, ByteBuffer.wrap(text));
      node.write(1000, ByteBuffer.wrap(text, 1000, 100_000));
    }
    assertThat(Files.size(dir.resolve("disk.qcow2"))).isLessThan(2 << 20);
    try (BlockNode node = image.open()) {
      ByteBuffer all = ByteBuffer.allocate(text.length);
      node.read(0, all);
      assertThat(all.array()).isEqualTo(text);
    }
    try (BlockNode file = FileProtocol.open(dir.resolve("disk.qcow2"), new FileProtocol.Options(true, true, true))) {
      assertThat(Qcow2Check.check(file, Qcow2Check.Repair.NONE).messages).isEmpty();
    }
    assertThatThrownBy(() -> ImageOptions.raw(dir.resolve("base.raw")).withFilter(new Filter.Compress()).open())
        .hasMessageContaining("Compression is not supported");
  }
}
