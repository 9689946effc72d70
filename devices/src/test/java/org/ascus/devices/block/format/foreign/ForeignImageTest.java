package org.ascus.devices.block.format.foreign;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.Extent;
import org.ascus.devices.block.MemoryNode;
import org.ascus.devices.block.format.ImageOptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Images of other programs, as {@code qemu-img} makes them, and damaged ones. */
class ForeignImageTest {
  private static final int SIZE = 9 << 20;

  @TempDir private Path dir;
  private final byte[] content = new byte[SIZE];

  @BeforeAll
  static void qemuImgIsInstalled() {
    boolean there = false;
    try {
      there = new ProcessBuilder("qemu-img", "--version").redirectErrorStream(true).start().waitFor() == 0;
    } catch (IOException | InterruptedException e) {
      System.err.println("SKIPPED: ForeignImageTest needs qemu-img (apt install qemu-utils): " + e.getMessage());
    }
    assumeTrue(there, "qemu-img is not installed");
  }

  @BeforeEach
  void aDisk() throws IOException {
    byte[] part = new byte[300_000];
    Random random = new Random(5);
    for (int at : new int[] {0, 1_500_000, 5_000_000, SIZE - 300_000}) {
      random.nextBytes(part);
      System.arraycopy(part, 0, content, at, part.length);
    }
    Files.write(dir.resolve("raw"), content);
  }

  private void qemu(String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("qemu-img"));
    command.addAll(List.of(arguments));
    Process process = new ProcessBuilder(command).directory(dir.toFile()).redirectErrorStream(true).start();
    String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(text).isZero();
  }

  private BlockNode open(String name, String format) throws BlockException {
    return new ImageOptions(dir.resolve(name), format, true, false, true).open();
  }

  private static byte[] all(BlockNode node) throws BlockException {
    ByteBuffer bytes = ByteBuffer.allocate((int) node.size());
    node.read(0, bytes);
    return bytes.array();
  }

  /** VHDs that are sized by their geometry are a little larger. */
  private void holdsTheContent(BlockNode node) throws BlockException {
    assertThat(node.size()).isBetween((long) SIZE, SIZE + 300_000L);
    assertThat(Arrays.equals(Arrays.copyOf(all(node), SIZE), content)).isTrue();
    Random random = new Random(6);
    for (int i = 0; i < 50; i++) {
      int at = random.nextInt(SIZE);
      byte[] some = new byte[random.nextInt(Math.min(200_000, SIZE - at)) + 1];
      node.read(at, ByteBuffer.wrap(some));
      assertThat(Arrays.equals(some, Arrays.copyOfRange(content, at, at + some.length))).isTrue();
    }
    for (long at = 0; at < SIZE; ) {
      Extent extent = node.extent(at, node.size() - at);
      assertThat(extent.length()).isPositive();
      for (long i = at; extent.zero() && i < Math.min(SIZE, at + extent.length()); i++) {
        assertThat(content[(int) i]).isZero();
      }
      at += extent.length();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {
      "vmdk", "vmdk,subformat=monolithicFlat", "vmdk,subformat=twoGbMaxExtentSparse",
      "vmdk,subformat=twoGbMaxExtentFlat", "vmdk,subformat=streamOptimized", "vmdk,zeroed_grain=on", "vmdk,compat6=on",
      "vdi", "vdi,static=on", "vpc", "vpc,force_size=on", "vpc,subformat=fixed,force_size=on", "vhdx",
      "vhdx,subformat=fixed", "vhdx,block_size=1M,log_size=2M", "vhdx,block_state_zero=off", "parallels",
      "parallels,cluster_size=64k", "qed", "qed,cluster_size=4k,table_size=2"})
  void whatQemuMakesIsRead(String kind) throws Exception {
    String format = kind.split(",")[0];
    String options = kind.contains(",") ? kind.substring(format.length() + 1) : "size=" + SIZE;
    qemu("convert", "-S", kind.contains("block_state_zero") ? "0" : "4k", "-f", "raw", "-O", format, "-o", options,
        "raw", "image");
    try (BlockNode node = open("image", format)) {
      assertThat(node.getClass().getSimpleName()).isEqualToIgnoringCase(format + "Image");
      holdsTheContent(node);
      assertThatThrownBy(() -> node.write(0, ByteBuffer.allocate(512))).hasMessageContaining("read-only");
      assertThatThrownBy(() -> node.read(node.size(), ByteBuffer.allocate(1))).hasMessageContaining("leaves");
    }
    if (!kind.contains("fixed") || format.equals("vhdx")) {
      assertThat(ImageOptions.raw(dir.resolve("image")).probe()).isEqualTo(format);
    }
    assertThatThrownBy(() -> new ImageOptions(dir.resolve("image"), format, false, false, true).open())
        .hasMessageContaining("only read here");
  }

  @Test
  void manyExtentsAndParentsAreFound() throws Exception {
    qemu("create", "-f", "vmdk", "-o", "subformat=twoGbMaxExtentSparse", "many.vmdk", "5G");
    try (BlockNode node = open("many.vmdk", "")) {
      assertThat(((VmdkImage) node).parts()).hasSize(3);
      ByteBuffer end = ByteBuffer.allocate(1000);
      node.read(node.size() - 1000, end);
      assertThat(end.array()).containsOnly(0);
    }
    qemu("convert", "-f", "raw", "-O", "vmdk", "raw", "base.vmdk");
    qemu("create", "-f", "vmdk", "-b", "base.vmdk", "-F", "vmdk", "top.vmdk");
    qemu("create", "-f", "qed", "-b", "raw", "-F", "raw", "top.qed");
    for (String name : List.of("top.vmdk", "top.qed")) {
      try (BlockNode node = open(name, "")) {
        holdsTheContent(node);
        assertThat(node.extent(0, SIZE).depth()).isEqualTo(1);
      }
    }
    qemu("convert", "-f", "raw", "-O", "vmdk", "raw", "base.vmdk");
    assertThatThrownBy(() -> open("top.vmdk", "")).isInstanceOf(BlockException.class).hasMessageContaining("changed");
  }

  @Test
  void aDescriptionNeverNamesAnotherFormatOrProtocol() throws Exception {
    qemu("create", "-f", "qcow2", "other.qcow2", "1M");
    String text = "# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=%s\ncreateType=\"monolithicFlat\"\n"
        + "parentFileNameHint=\"%s\"\nRW 8 %s \"%s\" 0\n";
    Files.writeString(dir.resolve("a.vmdk"), text.formatted("ffffffff", "", "SPARSE", "other.qcow2"));
    assertThatThrownBy(() -> open("a.vmdk", "")).hasMessageContaining("not a sparse VMDK file");
    Files.writeString(dir.resolve("a.vmdk"), text.formatted("2", "other.qcow2", "FLAT", "raw"));
    assertThatThrownBy(() -> open("a.vmdk", "")).hasMessageContaining("Unsupported image type");
    Files.writeString(dir.resolve("a.vmdk"), text.formatted("2", "a.vmdk", "FLAT", "raw"));
    assertThatThrownBy(() -> open("a.vmdk", "")).isInstanceOf(BlockException.class);
    try (BlockNode raw = new ImageOptions(dir.resolve("raw"), "", false, false, true).open()) {
      byte[] magic = "# Disk DescriptorFile\nversion=1\n".getBytes(StandardCharsets.US_ASCII);
      assertThatThrownBy(() -> raw.write(0, ByteBuffer.wrap(magic))).hasMessageContaining("format 'vmdk'");
    }
  }

  @Test
  void aLogIsReplayedWithoutBeingWritten() throws Exception {
    qemu("convert", "-f", "raw", "-O", "vhdx", "-o", "block_size=1M", "raw", "image");
    byte[] image = Files.readAllBytes(dir.resolve("image"));
    VhdxFiles.withLog(image);
    Files.write(dir.resolve("dirty"), image);
    try (BlockNode node = open("dirty", "vhdx")) {
      holdsTheContent(node);
    }
    assertThat(Arrays.equals(Files.readAllBytes(dir.resolve("dirty")), image)).isTrue();
    try (RandomAccessFile file = new RandomAccessFile(dir.resolve("dirty").toFile(), "rw")) {
      file.seek(1 << 20);
      file.write(new byte[1 << 20]);
    }
    assertThatThrownBy(() -> open("dirty", "vhdx")).hasMessageContaining("log cannot be replayed");
  }

  @Test
  void damagedImagesGiveBytesOrAnError() throws Exception {
    for (String kind : List.of("vmdk", "vmdk,subformat=streamOptimized", "vmdk,subformat=monolithicFlat", "vdi", "vpc",
        "vhdx", "parallels", "qed")) {
      String format = kind.split(",")[0];
      qemu("convert", "-f", "raw", "-O", format, "-o", kind.contains(",") ? kind.split(",")[1] : "size=" + SIZE, "raw",
          "image");
      byte[] good = Files.readAllBytes(dir.resolve("image"));
      if (format.equals("vhdx")) {
        VhdxFiles.withLog(good);
      }
      int[] tables = {0, 64, 512, 64 << 10, 192 << 10, 1 << 20, 2 << 20, 3 << 20, 10240, 20480, 1536};
      for (int seed = 0; seed < 200; seed++) {
        Random random = new Random(seed);
        byte[] bad = good.clone();
        for (int i = 1 + random.nextInt(4); i > 0; i--) {
          int at = tables[random.nextInt(tables.length)] + random.nextInt(500);
          bad[Math.floorMod(at, bad.length)] = (byte) (random.nextBoolean() ? random.nextInt() : -1);
        }
        if (format.equals("vhdx") && random.nextBoolean()) {
          VhdxFiles.sign(bad);
        }
        byte[] cut = random.nextInt(10) == 0 ? Arrays.copyOf(bad, random.nextInt(bad.length)) : bad;
        BlockNode file = MemoryNode.readOnly(cut);
        try (BlockNode node = openBytes(format, file)) {
          ByteBuffer some = ByteBuffer.allocate((int) Math.min(node.size(), 3 << 20));
          node.read(0, some);
          for (long at = 0; at < node.size() && at < 1L << 30; at += 1 << 20) {
            node.extent(at, node.size() - at);
          }
        } catch (BlockException e) {
          assertThat(e.getMessage()).isNotEmpty();
        } catch (RuntimeException | OutOfMemoryError e) {
          fail(kind + " seed " + seed, e);
        }
      }
    }
  }

  private static BlockNode openBytes(String format, BlockNode file) throws BlockException {
    ForeignFiles none = new ForeignFiles() {
      @Override
      public BlockNode part(String name) {
        return MemoryNode.readOnly(new byte[4096]);
      }

      @Override
      public java.util.Optional<BlockNode> backing(String name, String wanted) {
        return java.util.Optional.empty();
      }
    };
    return switch (format) {
      case "vmdk" -> VmdkImage.open(file, none);
      case "vdi" -> VdiImage.open(file);
      case "vpc" -> VpcImage.open(file);
      case "vhdx" -> VhdxImage.open(file);
      case "qed" -> QedImage.open(file, none);
      default -> ParallelsImage.open(file);
    };
  }

  @Test
  void headersThatMakeNoSenseAreRefusedWithTheReason() throws Exception {
    qemu("convert", "-f", "raw", "-O", "vdi", "raw", "image");
    byte[] vdi = Files.readAllBytes(dir.resolve("image"));
    refuse("vdi", vdi, 0x44, 0x10002, "version 1.2");
    refuse("vdi", vdi, 0x178, 4096, "block size 4096");
    refuse("vdi", vdi, 0x154, 3, "unaligned");
    refuse("vdi", vdi, 0x180, 1, "disk size");
    refuse("vdi", vdi, 0x154, 0x7ffffe00, "outside the file");
    refuse("vdi", vdi, 0x1a8, 1, "linked");
    qemu("convert", "-f", "raw", "-O", "vmdk", "raw", "image");
    byte[] vmdk = Files.readAllBytes(dir.resolve("image"));
    refuse("vmdk", vmdk, 4, 9, "Unsupported VMDK version 9");
    refuse("vmdk", vmdk, 20, 3, "Invalid granularity 3");
    refuse("vmdk", vmdk, 44, 0x10000, "L2 table size too big");
    refuse("vmdk", vmdk, 16, 0x100, "grain directory");
    qemu("convert", "-f", "raw", "-O", "vhdx", "raw", "image");
    byte[] vhdx = Files.readAllBytes(dir.resolve("image"));
    byte[] noHeaders = vhdx.clone();
    Arrays.fill(noHeaders, 64 << 10, 192 << 10, (byte) 0);
    assertThatThrownBy(() -> VhdxImage.open(MemoryNode.readOnly(noHeaders)))
        .hasMessageContaining("No valid VHDX header");
    byte[] noRegions = vhdx.clone();
    Arrays.fill(noRegions, 192 << 10, 320 << 10, (byte) 0);
    assertThatThrownBy(() -> VhdxImage.open(MemoryNode.readOnly(noRegions))).hasMessageContaining("region table");
  }

  private static void refuse(String format, byte[] good, int at, int value, String reason) {
    byte[] bad = good.clone();
    ByteBuffer.wrap(bad).order(ByteOrder.LITTLE_ENDIAN).putInt(at, value);
    assertThatThrownBy(() -> openBytes(format, MemoryNode.readOnly(bad)))
        .isInstanceOf(BlockException.class)
        .hasMessageContaining("'memory'")
        .hasMessageContaining(reason);
  }
}
