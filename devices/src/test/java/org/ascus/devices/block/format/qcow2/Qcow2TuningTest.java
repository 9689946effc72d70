package org.ascus.devices.block.format.qcow2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.format.ImageOptions;
import org.ascus.devices.block.protocol.HostFile;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Options of a qcow2 node that are not stored in the image. */
class Qcow2TuningTest {
  private static final int CLUSTER = 64 << 10;

  @TempDir Path folder;

  private Path image;

  @BeforeEach
  void makesAnImage() throws IOException {
    image = Files.createFile(folder.resolve("a.qcow2"));
  }

  private void create(Qcow2Options options) throws BlockException {
    Images.create(image, options).close();
  }

  private Qcow2Node open(boolean unmap, String... options) throws BlockException {
    Map<String, String> given = new HashMap<>();
    for (String option : options) {
      String[] pair = option.split("=");
      given.put(pair[0], pair[1]);
    }
    ImageOptions plain = new ImageOptions(image, "qcow2", false, false, true);
    Qcow2Node node =
        (Qcow2Node) plain.withDetails(plain.details().withUnmap(unmap).withTuning(given)).open();
    assertThat(given).isEmpty();
    return node;
  }

  /** QEMU's messages. */
  @ParameterizedTest
  @CsvSource(delimiter = '|', textBlock = """
      lazy-refcounts=bogus | Parameter 'lazy-refcounts' expects 'on' or 'off'
      overlap-check=foo | Allowed are any of the following: none, constant, cached, all
      overlap-check.template=foo | Unsupported value 'foo' for qcow2 option 'overlap-check'.
      overlap-check.foo=on | Block format 'qcow2' does not support the option 'overlap-check.foo'
      overlap-check.active-l1=maybe | expects 'on' or 'off'
      overlap-check=none,overlap-check.template=all | Conflicting values for qcow2 options 'overlap-check' ('none')
      cache-size=1M,l2-cache-size=2M | l2-cache-size may not exceed cache-size
      cache-size=1M,refcount-cache-size=2M | refcount-cache-size may not exceed cache-size
      cache-size=2M,l2-cache-size=1M,refcount-cache-size=1M | may not be set at the same time
      l2-cache-entry-size=100 | must be a power of two between 512 and the cluster size (65536)
      l2-cache-entry-size=128k | must be a power of two between 512 and the cluster size (65536)
      refcount-cache-size=1P | Refcount cache size too big
      cache-clean-interval=-1 | Cache clean interval too big
      cache-clean-interval=99999999999 | Cache clean interval too big
      cache-clean-interval=x | Parameter 'cache-clean-interval' expects a number
      """)
  void whatAnOptionCannotBeIsSaid(String options, String complaint) throws BlockException {
    create(Qcow2Options.of(1 << 20));

    assertThatThrownBy(() -> open(false, options.split(","))).isInstanceOf(BlockException.class)
        .hasMessageContaining(complaint);
  }

  @Test
  void lazyRefcountsNeedVersionThree() throws BlockException {
    create(Qcow2Options.of(1 << 20).withVersion(2));

    assertThatThrownBy(() -> open(false, "lazy-refcounts=on"))
        .hasMessageContaining("Lazy refcounts require a qcow2 image with at least qemu 1.1 compatibility level");
  }

  @ParameterizedTest
  @CsvSource({"false,on,true", "true,off,false"})
  void anOptionSaysWhetherRefcountsAreLazy(boolean stored, String option, boolean lazy) throws BlockException {
    create(Qcow2Options.of(1 << 20).withLazyRefcounts(stored));
    try (Qcow2Node node = open(false, "lazy-refcounts=" + option)) {
      node.write(0, ByteBuffer.allocate(CLUSTER));

      assertThat(node.info().dirty()).isEqualTo(lazy);
      assertThat(node.info().lazyRefcounts()).isEqualTo(stored);
    }
    try (Qcow2Node node = open(false)) {
      assertThat(node.info().dirty()).isFalse();
    }
    assertThat(Images.check(image).corruptions).isZero();
  }

  @ParameterizedTest
  @CsvSource({
      "false, pass-discard-request=on, true", "false, pass-discard-request=off, false",
      "true, pass-discard-request=off, false", "true, pass-discard-other=on, true"
  })
  void anOptionSaysWhetherTheGuestsDiscardsReachTheFile(boolean unmap, String option, boolean smaller)
      throws BlockException {
    create(Qcow2Options.of(8 << 20));
    try (Qcow2Node node = open(unmap, option)) {
      node.write(0, ByteBuffer.wrap(pattern(4 << 20)));
      node.flush();
      long before = onDisk();
      node.discard(0, 4 << 20);
      node.flush();

      assertThat(onDisk() <= before - (3 << 20)).isEqualTo(smaller);
    }
  }

  @Test
  void aDeletedSnapshotGivesItsBytesBack() throws BlockException {
    create(Qcow2Options.of(8 << 20));
    for (String pass : new String[] {"off", "on"}) {
      try (Qcow2Node node = open(false, "pass-discard-snapshot=" + pass)) {
        node.write(0, ByteBuffer.wrap(pattern(4 << 20)));
        node.flush();
        Snapshots snapshots = node.snapshots();
        snapshots.create("a", 0, 0);
        node.write(0, ByteBuffer.wrap(pattern(4 << 20)));
        node.flush();
        long before = onDisk();
        snapshots.delete(snapshots.find("a").orElseThrow());
        node.flush();

        assertThat(onDisk() <= before - (3 << 20)).isEqualTo(pass.equals("on"));
      }
    }
    assertThat(Images.check(image).corruptions).isZero();
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', textBlock = """
      l2-cache-entry-size=512,l2-cache-size=0,refcount-cache-size=0
      l2-cache-entry-size=64k,cache-size=1M
      cache-size=1T,cache-clean-interval=5,overlap-check=all,overlap-check.main-header=off
      """)
  void whatIsWrittenIsTheSameWhateverTheCaches(String options) throws BlockException {
    create(Qcow2Options.of(1L << 40));
    byte[] bytes = pattern(CLUSTER);
    try (Qcow2Node node = open(false, options.split(","))) {
      for (int i = 0; i < 300; i++) {
        node.write((long) i * 37 << 26, ByteBuffer.wrap(bytes));
      }
    }
    assertThat(Images.check(image).corruptions).isZero();
    assertThat(Images.check(image).leaks).isZero();
    try (BlockNode node = open(false)) {
      for (int i = 0; i < 300; i++) {
        ByteBuffer read = ByteBuffer.allocate(CLUSTER);
        node.read((long) i * 37 << 26, read);
        assertThat(read.array()).isEqualTo(bytes);
      }
    }
  }

  private long onDisk() {
    return HostFile.allocatedBytes(image).orElseThrow();
  }

  private static byte[] pattern(int length) {
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] = (byte) (i * 31 + (i >> 12) | 1);
    }
    return bytes;
  }
}
