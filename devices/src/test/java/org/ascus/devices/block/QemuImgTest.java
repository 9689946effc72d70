package org.ascus.devices.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.ascus.devices.block.format.RawFormat;
import org.ascus.devices.block.format.SnapshotOverlay;
import org.ascus.devices.block.protocol.FileProtocol;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The same images seen by {@code qemu-img}, where it is installed. */
class QemuImgTest {
  @TempDir private Path dir;

  @BeforeEach
  void qemuImgIsInstalled() {
    boolean there = false;
    try {
      there = run("--version").contains("qemu-img");
    } catch (IOException e) {
      System.err.println("SKIPPED: QemuImgTest needs qemu-img (apt install qemu-utils): " + e.getMessage());
    }
    assumeTrue(there, "qemu-img is not installed");
  }

  private String run(String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of("qemu-img"));
    command.addAll(List.of(arguments));
    Process process = new ProcessBuilder(command).directory(dir.toFile()).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      assertThat(process.waitFor()).as(output).isZero();
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
    return output;
  }

  private RawFormat open(String name, FileProtocol.Options options) throws BlockException {
    return new RawFormat(FileProtocol.open(dir.resolve(name), options));
  }

  @Test
  void qemuReadsTheRawImageThatWasWrittenHere() throws Exception {
    run("create", "-f", "raw", "disk.raw", "3M");
    byte[] content = new byte[1_000_000];
    new Random(1).nextBytes(content);
    try (BlockNode node = open("disk.raw", FileProtocol.Options.READ_WRITE)) {
      assertThat(node.size()).isEqualTo(3 << 20);
      node.write(12345, ByteBuffer.wrap(content));
      node.writeZeroes(500_000, 10_000, true);
    }
    run("convert", "-f", "raw", "-O", "qcow2", "disk.raw", "disk.qcow2");
    run("convert", "-f", "qcow2", "-O", "raw", "disk.qcow2", "back.raw");
    assertThat(run("compare", "-f", "raw", "-F", "raw", "disk.raw", "back.raw")).contains("identical");
    try (BlockNode node = open("back.raw", FileProtocol.Options.READ_ONLY)) {
      byte[] expected = content.clone();
      java.util.Arrays.fill(expected, 500_000 - 12345, 510_000 - 12345, (byte) 0);
      ByteBuffer got = ByteBuffer.allocate(content.length);
      node.read(12345, got);
      assertThat(got.array()).isEqualTo(expected);
    }
  }

  @Test
  void aSnapshotLeavesTheImageAsItWas() throws Exception {
    run("create", "-f", "raw", "base.raw", "1M");
    Files.copy(dir.resolve("base.raw"), dir.resolve("before.raw"));
    try (BlockNode node = new SnapshotOverlay(open("base.raw", FileProtocol.Options.READ_ONLY))) {
      byte[] content = new byte[100_000];
      new Random(2).nextBytes(content);
      node.write(70_000, ByteBuffer.wrap(content));
      Path seen = dir.resolve("seen.raw");
      ByteBuffer all = ByteBuffer.allocate(1 << 20);
      node.read(0, all);
      Files.write(seen, all.array());
    }
    assertThat(run("compare", "-f", "raw", "-F", "raw", "base.raw", "before.raw")).contains("identical");
    assertThat(run("info", "-f", "raw", "seen.raw")).contains("1 MiB");
  }
}
