package org.ascus.devices.block.format.qcow2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.format.ImageOptions;
import org.ascus.devices.block.protocol.FileProtocol;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The same images seen by {@code qemu-img}, where it is installed. */
class Qcow2InteropTest {
  @TempDir private Path dir;

  @BeforeAll
  static void qemuImgIsInstalled() {
    assumeTrue(Images.have("qemu-img"), "qemu-img is not installed");
  }

  private String qemu(String... arguments) throws Exception {
    String[] command = new String[arguments.length + 1];
    command[0] = "qemu-img";
    System.arraycopy(arguments, 0, command, 1, arguments.length);
    Images.Output output = Images.run(dir, command);
    assertThat(output.code()).as(output.text()).isZero();
    return output.text();
  }

  private static byte[] random(int seed, int size) {
    byte[] bytes = new byte[size];
    Random random = new Random(seed);
    for (int at = 0; at < size; ) {
      int length = Math.min(size - at, 1 + random.nextInt(100_000));
      if (random.nextBoolean()) {
        byte[] part = new byte[length];
        random.nextBytes(part);
        System.arraycopy(part, 0, bytes, at, length);
      }
      at += length;
    }
    return bytes;
  }

  private static byte[] all(BlockNode node) throws Exception {
    ByteBuffer bytes = ByteBuffer.allocate((int) node.size());
    node.read(0, bytes);
    return bytes.array();
  }

  /** Random requests, by a node and by the array that it is compared with. */
  private static void randomRequests(BlockNode node, byte[] model, int seed, int count) throws Exception {
    Random random = new Random(seed);
    for (int i = 0; i < count; i++) {
      int offset = random.nextInt(model.length);
      int length = random.nextInt(Math.min(model.length - offset, 1 << random.nextInt(20))) + 1;
      switch (random.nextInt(6)) {
        case 0 -> {
          node.writeZeroes(offset, length, random.nextBoolean());
          Arrays.fill(model, offset, offset + length, (byte) 0);
        }
        case 1 -> {
          node.discard(offset, length);
          ByteBuffer now = ByteBuffer.allocate(length);
          node.read(offset, now);
          System.arraycopy(now.array(), 0, model, offset, length);
        }
        case 2 -> node.flush();
        default -> {
          byte[] bytes = new byte[length];
          random.nextBytes(bytes);
          node.write(offset, ByteBuffer.wrap(bytes));
          System.arraycopy(bytes, 0, model, offset, length);
        }
      }
    }
    assertThat(all(node)).isEqualTo(model);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "compat=v2", "compat=v3", "cluster_size=512", "cluster_size=2M", "cluster_size=512,refcount_bits=1",
        "refcount_bits=2,cluster_size=1k", "refcount_bits=4", "refcount_bits=8", "refcount_bits=32",
        "refcount_bits=64,cluster_size=512", "lazy_refcounts=on", "extended_l2=on",
        "extended_l2=on,cluster_size=16k", "compression_type=zstd", "preallocation=metadata",
        "preallocation=metadata,extended_l2=on", "preallocation=full", "data_file=data.raw",
        "data_file=data.raw,data_file_raw=on"
      })
  void whatQemuCreatesIsWrittenHereAndStaysSound(String options) throws Exception {
    byte[] model = new byte[5 << 20];
    qemu("create", "-f", "qcow2", "-o", options, "disk.qcow2", "5M");
    try (BlockNode node = Images.open(dir.resolve("disk.qcow2"))) {
      randomRequests(node, model, options.hashCode(), 150);
    }
    assertThat(qemu("check", "-f", "qcow2", "disk.qcow2")).contains("No errors were found");
    assertThat(Images.check(dir.resolve("disk.qcow2")).messages).isEmpty();
    Files.write(dir.resolve("model.raw"), model);
    assertThat(qemu("compare", "-f", "raw", "-F", "qcow2", "model.raw", "disk.qcow2")).contains("identical");
    if (options.contains("data_file_raw")) {
      assertThat(Files.readAllBytes(dir.resolve("data.raw"))).isEqualTo(model);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "compat=v2", "compression_type=zlib", "compression_type=zstd", "extended_l2=on,compression_type=zstd",
        "cluster_size=512", "cluster_size=2M,compression_type=zstd", "cluster_size=4k,refcount_bits=32"
      })
  void whatQemuConvertsWithAndWithoutCompressionIsReadAndOverwritten(String options) throws Exception {
    byte[] model = random(3, 3 << 20);
    Files.write(dir.resolve("model.raw"), model);
    for (String flag : new String[] {"-c", "-q"}) {
      qemu("convert", flag, "-f", "raw", "-O", "qcow2", "-o", options, "model.raw", "disk.qcow2");
      try (BlockNode node = Images.open(dir.resolve("disk.qcow2"))) {
        assertThat(all(node)).isEqualTo(model);
        randomRequests(node, model.clone(), 5, 40);
      }
      assertThat(qemu("check", "-f", "qcow2", "disk.qcow2")).contains("No errors were found");
    }
  }

  @Test
  void compressedClustersWrittenHereAreReadByQemu() throws Exception {
    for (boolean zstd : new boolean[] {false, true}) {
      byte[] model = random(4, 3 << 20);
      for (int i = 0; i < 1 << 20; i++) {
        model[i] = (byte) (i >> 7);
      }
      Files.write(dir.resolve("model.raw"), model);
      Path path = Files.write(dir.resolve("disk.qcow2"), new byte[0]);
      try (Qcow2Node node = Images.create(path, Qcow2Options.of(model.length).withZstd(zstd))) {
        for (int at = 0; at < model.length; at += node.clusterSize()) {
          node.writeCompressed(at, ByteBuffer.wrap(model, at, node.clusterSize()));
        }
        assertThat(all(node)).isEqualTo(model);
      }
      assertThat(Files.size(path)).isLessThan(model.length);
      assertThat(qemu("compare", "-f", "raw", "-F", "qcow2", "model.raw", "disk.qcow2")).contains("identical");
      assertThat(qemu("check", "disk.qcow2")).contains("No errors were found");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 16, 64})
  void compressedClustersThatGoOverTheEndOfARefcountBlockSpareTheNextBlock(int refcountBits) throws Exception {
    byte[] model = new byte[6 << 20];
    Random random = new Random(refcountBits);
    for (int at = 0; at < model.length; at += 8) {
      model[at] = (byte) random.nextInt();
    }
    Files.write(dir.resolve("model.raw"), model);
    Path path = Files.write(dir.resolve("disk.qcow2"), new byte[0]);
    Qcow2Options options = Qcow2Options.of(model.length).withClusterSize(512).withRefcountBits(refcountBits);
    try (Qcow2Node node = Images.create(path, options)) {
      for (int at = 0; at < model.length; at += node.clusterSize()) {
        node.writeCompressed(at, ByteBuffer.wrap(model, at, node.clusterSize()));
      }
      assertThat(all(node)).isEqualTo(model);
    }
    assertThat(qemu("compare", "-f", "raw", "-F", "qcow2", "model.raw", "disk.qcow2")).contains("identical");
    assertThat(qemu("check", "disk.qcow2")).contains("No errors were found");
  }

  @Test
  void aChainOfTenOverlaysIsReadAndWritten() throws Exception {
    byte[] model = random(5, 2 << 20);
    Files.write(dir.resolve("0"), model);
    for (int i = 1; i <= 10; i++) {
      String format = i == 1 ? "raw" : "qcow2";
      String cluster = "cluster_size=" + (512 << i % 8);
      qemu("create", "-f", "qcow2", "-b", "" + (i - 1), "-F", format, "-o", cluster, "" + i);
      try (BlockNode node = Images.open(dir.resolve("" + i))) {
        randomRequests(node, model, i, 12);
      }
    }
    Files.write(dir.resolve("model.raw"), model);
    assertThat(qemu("compare", "-f", "raw", "-F", "qcow2", "model.raw", "10")).contains("identical");
    for (int i = 1; i <= 10; i++) {
      assertThat(qemu("check", "-f", "qcow2", "" + i)).contains("No errors were found");
    }
    assertThat(Files.readAllBytes(dir.resolve("0"))).isEqualTo(random(5, 2 << 20));
  }

  @ParameterizedTest
  @ValueSource(strings = {"compat=v2", "extended_l2=on", "cluster_size=4k,refcount_bits=8"})
  void snapshotsOfQemuAreKeptAndSnapshotsMadeHereAreTaken(String options) throws Exception {
    qemu("create", "-f", "qcow2", "-o", options, "disk.qcow2", "2M");
    Path path = dir.resolve("disk.qcow2");
    byte[] model = new byte[2 << 20];
    try (BlockNode node = Images.open(path)) {
      randomRequests(node, model, 1, 30);
    }
    byte[] first = model.clone();
    qemu("snapshot", "-c", "one", "disk.qcow2");
    byte[] second;
    try (Qcow2Node node = Images.open(path)) {
      randomRequests(node, model, 2, 30);
      second = model.clone();
      node.snapshots().create("two", 1_700_000_000, 5);
      randomRequests(node, model, 3, 30);
    }
    assertThat(qemu("check", "disk.qcow2")).contains("No errors were found");
    assertThat(qemu("snapshot", "-l", "disk.qcow2")).contains("one").contains("two");
    qemu("snapshot", "-a", "two", "disk.qcow2");
    try (Qcow2Node node = Images.open(path)) {
      assertThat(all(node)).isEqualTo(second);
      Snapshots snapshots = node.snapshots();
      snapshots.apply(snapshots.find("one").orElseThrow());
      assertThat(all(node)).isEqualTo(first);
      randomRequests(node, first.clone(), 4, 20);
      snapshots.delete(snapshots.find("two").orElseThrow());
      assertThat(snapshots.list()).hasSize(1);
    }
    assertThat(qemu("check", "disk.qcow2")).contains("No errors were found");
    qemu("snapshot", "-d", "one", "disk.qcow2");
    assertThat(qemu("check", "disk.qcow2")).contains("No errors were found");
  }

  @Test
  void whatIsCreatedHereIsWhatQemuCreates() throws Exception {
    Path path = Files.write(dir.resolve("a.qcow2"), new byte[0]);
    Images.create(path, Qcow2Options.of(1 << 30)).close();
    qemu("create", "-f", "qcow2", "b.qcow2", "1G");
    String ours = qemu("info", "a.qcow2").replaceAll("disk size.*", "").replace("a.qcow2", "X");
    assertThat(ours).isEqualTo(qemu("info", "b.qcow2").replaceAll("disk size.*", "").replace("b.qcow2", "X"));
    assertThat(qemu("check", "a.qcow2")).contains("No errors were found");
  }

  @Test
  void anImageIsResized() throws Exception {
    qemu("create", "-f", "qcow2", "-o", "cluster_size=512", "disk.qcow2", "1M");
    byte[] model = new byte[1 << 20];
    try (BlockNode node = Images.open(dir.resolve("disk.qcow2"))) {
      randomRequests(node, model, 1, 30);
      node.resize(40 << 20);
      byte[] more = Arrays.copyOf(model, 40 << 20);
      randomRequests(node, more, 2, 60);
      node.resize(700 * 512);
      node.resize(2 << 20);
      byte[] less = Arrays.copyOf(Arrays.copyOf(more, 700 * 512), 2 << 20);
      randomRequests(node, less, 3, 30);
    }
    assertThat(qemu("check", "disk.qcow2")).contains("No errors were found");
  }

  @Test
  void aDirtyImageIsRepairedWhenItIsOpened() throws Exception {
    qemu("create", "-f", "qcow2", "-o", "lazy_refcounts=on", "disk.qcow2", "4M");
    Path copy = dir.resolve("killed.qcow2");
    byte[] model = new byte[4 << 20];
    try (BlockNode node = Images.open(dir.resolve("disk.qcow2"))) {
      randomRequests(node, model, 1, 40);
      node.flush();
      Files.copy(dir.resolve("disk.qcow2"), copy);
    }
    assertThat(qemu("info", "disk.qcow2")).contains("lazy refcounts: true");
    assertThat(Images.check(copy).messages).isNotEmpty();
    try (BlockNode node = Images.open(copy)) {
      assertThat(all(node)).isEqualTo(model);
    }
    assertThat(qemu("check", "killed.qcow2")).contains("No errors were found");
    assertThat(ImageOptions.neighbour(copy.toString(), "base")).isEqualTo(dir.resolve("base").toString());
  }

  @Test
  void checkFindsAndMendsWhatQemuFinds() throws Exception {
    byte[] model = random(8, 1 << 20);
    Files.write(dir.resolve("model.raw"), model);
    qemu("convert", "-f", "raw", "-O", "qcow2", "model.raw", "disk.qcow2");
    Path path = dir.resolve("disk.qcow2");
    Random random = new Random(1);
    for (int i = 0; i < 6; i++) {
      byte[] image = Files.readAllBytes(path);
      // Counts 2 clusters that are not there as used, and forgets one that is.
      image[2 * 65536 + 2 * (6 + i) + 1] = (byte) random.nextInt(3);
      image[2 * 65536 + 2 * 60 + 1] = 1;
      Path bad = Files.write(dir.resolve("bad.qcow2"), image);
      CheckResult found = Images.check(bad);
      Images.Output qemu = Images.run(dir, "qemu-img", "check", "--output=json", "bad.qcow2");
      assertThat(qemu.text()).contains(found.leaks > 0 ? "\"leaks\": " + found.leaks : "\"check-errors\": 0");
      try (var file = FileProtocol.open(bad, Images.GROWABLE)) {
        CheckResult mended = Qcow2Check.check(file, Qcow2Check.Repair.ALL);
        assertThat(mended.corruptionsFixed).isEqualTo(mended.corruptions);
      }
      assertThat(qemu("check", "bad.qcow2")).contains("No errors were found");
      assertThat(qemu("compare", "-f", "raw", "-F", "qcow2", "model.raw", "bad.qcow2")).contains("identical");
    }
  }
}
