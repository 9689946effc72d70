package org.ascus.devices.block.crypto;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.format.ImageOptions;
import org.ascus.devices.block.protocol.FileProtocol;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Encrypted images seen by {@code qemu-img}, where it is installed. */
class LuksInteropTest {
  private static final int SIZE = 300_032;

  @TempDir private Path dir;
  private final byte[] content = new byte[SIZE];

  @BeforeAll
  static void qemuImgIsInstalled() {
    boolean there = false;
    try {
      there = new ProcessBuilder("qemu-img", "--version").redirectErrorStream(true).start().waitFor() == 0;
    } catch (IOException | InterruptedException e) {
      System.err.println("SKIPPED: LuksInteropTest needs qemu-img (apt install qemu-utils): " + e.getMessage());
    }
    assumeTrue(there, "qemu-img is not installed");
  }

  @BeforeEach
  void someBytes() throws IOException {
    new Random(3).nextBytes(content);
    Files.write(dir.resolve("raw"), content);
  }

  /** qemu-img's output; empty if it failed on the host's clock, which it does with short derivations. */
  private String qemu(String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("qemu-img", arguments[0]));
    command.addAll(List.of("--object", "secret,id=s,data=pass"));
    command.addAll(List.of(arguments).subList(1, arguments.length));
    for (int attempt = 0; ; attempt++) {
      Process process = new ProcessBuilder(command).directory(dir.toFile()).redirectErrorStream(true).start();
      String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (process.waitFor() == 0) {
        return text;
      }
      assertThat(text).contains("accurate CPU usage");
      assertThat(attempt).isLessThan(9);
    }
  }

  private BlockNode open(String name, String format, String password) throws Exception {
    return new ImageOptions(dir.resolve(name), format, true, false, true)
        .withDetails(ImageOptions.Details.NONE.withKey(ImageKey.of(LuksContractTest.secret(password)))).open();
  }

  private void holdsTheContent(String name, String format) throws Exception {
    try (BlockNode node = open(name, format, "pass")) {
      ByteBuffer got = ByteBuffer.allocate(SIZE);
      node.read(0, got);
      assertThat(got.array()).isEqualTo(content);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {
      "", "cipher-alg=aes-128", "cipher-alg=aes-192", "cipher-mode=cbc", "cipher-mode=ecb", "cipher-mode=ctr",
      "cipher-mode=cbc,ivgen-alg=essiv,ivgen-hash-alg=sha256,hash-alg=sha1", "ivgen-alg=plain,hash-alg=sha512",
      "ivgen-alg=essiv,ivgen-hash-alg=sha256,hash-alg=sha384",
      "cipher-alg=aes-128,cipher-mode=cbc,ivgen-alg=essiv,ivgen-hash-alg=md5,hash-alg=md5",
      "cipher-alg=cast5-128,cipher-mode=cbc,ivgen-alg=essiv,ivgen-hash-alg=md5", "cipher-alg=cast5-128,cipher-mode=ecb",
      "cipher-alg=serpent-256,cipher-mode=ctr,ivgen-alg=essiv,ivgen-hash-alg=md5",
      "cipher-alg=twofish-256,cipher-mode=cbc,ivgen-alg=essiv,ivgen-hash-alg=sha256,hash-alg=ripemd160",
      "cipher-alg=twofish-128,cipher-mode=ecb", "ivgen-alg=plain64,ivgen-hash-alg=sha1",
      "cipher-alg=cast5-128,cipher-mode=cbc,hash-alg=ripemd160", "cipher-alg=cast5-128,cipher-mode=ctr",
      "cipher-alg=serpent-256,hash-alg=sha224", "cipher-alg=serpent-192", "cipher-alg=serpent-128,cipher-mode=cbc",
      "cipher-alg=twofish-128", "cipher-alg=twofish-192", "cipher-alg=twofish-256,cipher-mode=ctr,ivgen-alg=plain"})
  void qemuReadsAndWritesEveryCipherModeAndHash(String options) throws Exception {
    Map<String, String> map = new HashMap<>();
    for (String option : options.isEmpty() ? new String[0] : options.split(",")) {
      map.put(option.split("=")[0], option.split("=")[1]);
    }
    map.put("iter-time", "1");
    Path ours = Files.createFile(dir.resolve("ours.luks"));
    FileProtocol file = FileProtocol.open(ours, new FileProtocol.Options(false, true, true));
    try (BlockNode node = LuksNode.create(file, LuksOptions.parse(map), "pass".getBytes(), SIZE)) {
      node.write(0, ByteBuffer.wrap(content));
    }
    holdsTheContent("ours.luks", "");
    String described = "driver=luks,file.filename=ours.luks,key-secret=s";
    qemu("convert", "-O", "raw", "--image-opts", described, "back.raw");
    assertThat(Files.readAllBytes(dir.resolve("back.raw"))).isEqualTo(content);
    new Random(4).nextBytes(content);
    Files.write(dir.resolve("raw"), content);
    qemu("convert", "-n", "-f", "raw", "--target-image-opts", "raw", described);
    holdsTheContent("ours.luks", "");
  }

  /** Few of them: qemu-img measures the host for seconds before it makes a LUKS image. */
  @ParameterizedTest
  @ValueSource(strings = {"luks,encrypt.cipher-mode=cbc,encrypt.ivgen-alg=essiv,cluster_size=512", "aes",
      "aes,compat=0.10,cluster_size=4k"})
  void encryptedQcow2ImagesOfQemuAreRead(String options) throws Exception {
    String time = options.startsWith("luks") ? ",encrypt.iter-time=100" : "";
    qemu("convert", "-f", "raw", "-O", "qcow2", "-o", "encrypt.key-secret=s,encrypt.format=" + options + time, "raw",
        "theirs.qcow2");
    holdsTheContent("theirs.qcow2", "qcow2");
  }

  @Test
  void aWrongPasswordIsRefused() throws Exception {
    qemu("create", "-f", "luks", "-o", "key-secret=s,iter-time=100", "theirs.luks", "1M");
    assertThatThrownBy(() -> open("theirs.luks", "luks", "wrong"))
        .isInstanceOf(BlockException.class)
        .hasMessageContaining("Invalid password, cannot unlock any keyslot");
    assertThatThrownBy(() -> new ImageOptions(dir.resolve("theirs.luks"), "", true, false, true).open())
        .isInstanceOf(BlockException.class)
        .hasMessageContaining("Parameter 'key-secret' is required for cipher");
  }
}
