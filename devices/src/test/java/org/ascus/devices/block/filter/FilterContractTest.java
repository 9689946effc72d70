package org.ascus.devices.block.filter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
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
import org.ascus.devices.block.protocol.HostFile;
import org.ascus.devices.block.protocol.Location;
import org.ascus.devices.block.protocol.Protocols;
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

  @Nested
  class CutsUp extends BlockNodeContract {
    @Override
    protected BlockNode node(byte[] content) throws Exception {
      return qcow2(dir, content, 65536).withFilter(new Filter.Blkdebug(BlkdebugRules.read(new HashMap<>(
          Map.of("align", "4096", "max-transfer", "8k", "opt-write-zero", "64k", "max-write-zero", "64k",
              "opt-discard", "64k", "max-discard", "128k"))))).open();
    }
  }

  @Nested
  class AllocatesAhead extends BlockNodeContract {
    @Override
    protected BlockNode node(byte[] content) throws Exception {
      return preallocated(qcow2(dir, content, 4096), 64 << 10, 1 << 20).open();
    }
  }

  private static ImageOptions preallocated(ImageOptions image, long align, long size) throws BlockException {
    Map<String, String> keys = new HashMap<>(Map.of("prealloc-align", "" + align, "prealloc-size", "" + size,
        "file.filename", image.file().name()));
    Location file = Protocols.described("preallocate", keys, Protocols.Objects.NONE);
    return new ImageOptions(file, image.format(), false, false, true);
  }

  @Test
  void whatWasAllocatedAheadIsCutOffInTheEnd() throws Exception {
    ImageOptions image = qcow2(dir, new byte[4 << 20], 65536);
    Path file = dir.resolve("disk.qcow2");
    long ahead = 3 << 20;
    try (BlockNode node = preallocated(image, 1 << 20, ahead).open()) {
      long before = Files.size(file);
      node.write(0, ByteBuffer.allocate(65536));
      node.flush();
      assumeTrue(Files.size(file) > before + ahead, "SKIPPED: the file system of " + dir + " has no fallocate");
      assertThat(Files.size(file) % (1 << 20)).isZero();
      assertThat(HostFile.allocatedBytes(file).orElseThrow()).isGreaterThan(ahead);
    }
    assertThat(Files.size(file)).isLessThan(ahead);
    try (BlockNode node = image.open()) {
      assertThat(((Qcow2Node) node).extent(0, 65536).data()).isTrue();
    }
    assertThatThrownBy(() -> preallocated(image, 768, 0))
        .hasMessage("prealloc-align parameter of preallocate filter is not aligned to 512");
    assertThatThrownBy(() -> preallocated(image, 1536, 0))
        .hasMessage("prealloc-align parameter of preallocate filter is not a power of 2");
  }

  @Test
  void limitsCutRequestsUp() throws Exception {
    Files.write(dir.resolve("raw"), random(1 << 20));
    BlkdebugRules rules = BlkdebugRules.read(new HashMap<>(Map.of("align", "4k", "max-transfer", "8k",
        "opt-write-zero", "64k", "inject-error.0.event", "none", "inject-error.0.iotype", "write",
        "inject-error.0.sector", "24")));
    try (BlockNode node = ImageOptions.raw(dir.resolve("raw")).withFilter(new Filter.Blkdebug(rules)).open()) {
      node.write(0, ByteBuffer.allocate(8192));
      node.writeZeroes(65536, 65536, false);
      // The unaligned end is written as data; sector 24 begins at 12 KiB, in the second piece from 8 KiB on.
      assertThatThrownBy(() -> node.write(8192 + 512, ByteBuffer.allocate(512 * 8)))
          .hasMessageContaining("write at 8192: Input/output error");
      assertThatThrownBy(() -> node.writeZeroes(0, 65535, false)).hasMessageContaining("write at 8192");
      node.writeZeroes(0, 65536, false);
      ByteBuffer all = ByteBuffer.allocate(131072);
      node.read(0, all);
      assertThat(all.array()).containsOnly(0);
    }
    for (String wrong : new String[] {"align=768", "max-transfer=4097", "max-write-zero=6k", "opt-discard=2k"}) {
      Map<String, String> keys = new HashMap<>(Map.of("align", "4096"));
      keys.put(wrong.split("=")[0], wrong.split("=")[1]);
      assertThatThrownBy(() -> BlkdebugRules.read(keys))
          .hasMessageStartingWith("Cannot meet constraints with " + wrong.split("=")[0]);
    }
  }

  @Test
  void rulesWorkUnderAFormat() throws Exception {
    qcow2(dir, random(1 << 20), 65536);
    String name = "json:{\"driver\": \"qcow2\", \"file\": {\"driver\": \"blkdebug\", \"align\": 4096, "
        + "\"inject-error\": [{\"event\": \"flush_to_disk\"}], \"image\": {\"driver\": \"file\", \"filename\": \""
        + dir.resolve("disk.qcow2") + "\"}}}";
    BlockNode node = ImageOptions.named(name, "", false, false, true).open();
    node.write(0, ByteBuffer.allocate(100));
    assertThatThrownBy(node::flush).hasMessageContaining("flush at 0: Input/output error");
    assertThatThrownBy(node::close).isInstanceOf(BlockException.class);
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
