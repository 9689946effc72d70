package org.ascus.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.ascus.tests.support.ConsoleProcess;
import org.ascus.tests.support.Host;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A stock Linux guest mounts a folder of the host and copies a tree out of it and back. */
class LinuxShareTest {
  private static final Duration BOOT = Duration.ofMinutes(5);
  private static final Duration SOON = Duration.ofMinutes(1);

  private static final String SCRIPT =
      "cp -a /9p/in /tmp/t && cd /tmp/t && find . -type f | sort | tr '\\n' '\\0' | xargs -0 sha256sum | sha256sum"
          + " && cp -a /tmp/t /9p/out && cd /9p/out && find . -type f | sort | tr '\\n' '\\0' | xargs -0 sha256sum"
          + " | sha256sum && mv d e && ln -s e/f l && cat l && chown -h 7:8 l && ls -ln l && rm -r e && ls /9p/..";

  @TempDir Path shared;

  @Test
  void aTreeIsCopiedBothWays() throws Exception {
    Path guest = Host.requireRiscv64Guest();
    Path in = shared.resolve("in");
    Random random = new Random(9);
    for (int i = 0; i < 60; i++) {
      Path file = in.resolve("d" + i % 7 + "/e" + i % 3 + "/f " + i);
      Files.createDirectories(file.getParent());
      byte[] content = new byte[random.nextInt(1 << random.nextInt(18))];
      random.nextBytes(content);
      Files.write(file, content);
    }
    Files.createDirectories(in.resolve("d"));
    Files.writeString(in.resolve("d/f"), "read through a link\n");
    try (var console = boot(guest, shared)) {
      console.expect("GUEST-READY", BOOT);
      String said = console.expect("GUEST-DONE rc=0", BOOT);
      List<String> sums = said.lines().filter(l -> l.matches("[0-9a-f]{64}  -\\s*")).toList();
      assertThat(sums).hasSize(2);
      assertThat(sums.get(1)).isEqualTo(sums.get(0));
      assertThat(said).contains("read through a link").containsPattern("lrwxrwxrwx +1 +7 +8 .* l -> e/f");
      assertThat(console.awaitExit(SOON)).isZero();
    }
    Map<String, String> sent = contents(in);
    Map<String, String> back = contents(shared.resolve("out"));
    assertThat(sent.remove("d/f")).isNotNull();
    assertThat(back.remove("l")).as("a link is a file on the host").isEqualTo(HexFormat.of().formatHex(
        "e/f".getBytes()));
    back.keySet().removeIf(name -> name.contains(".virtfs"));
    assertThat(back).isEqualTo(sent);
  }

  private static Map<String, String> contents(Path root) throws IOException {
    Map<String, String> contents = new TreeMap<>();
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        contents.put(root.relativize(file).toString(), HexFormat.of().formatHex(Files.readAllBytes(file)));
      }
    }
    return contents;
  }

  private static ConsoleProcess boot(Path guest, Path shared) throws IOException {
    var arguments = new ArrayList<String>();
    arguments.addAll(List.of("-M", "virt", "-m", "512M", "-nographic", "-no-reboot"));
    arguments.addAll(List.of("-bios", guest.resolve("fw/fw_dynamic.bin").toString()));
    arguments.addAll(List.of("-kernel", guest.resolve("Image").toString()));
    arguments.addAll(List.of("-initrd", guest.resolve("initramfs.cpio.gz").toString()));
    arguments.addAll(List.of("-append", "console=ttyS0 quiet guest.9p=share guest.run=\"" + SCRIPT + "\""));
    arguments.addAll(List.of("-virtfs", "local,path=" + shared + ",mount_tag=share,security_model=mapped-file"));
    return Host.startAscus(arguments);
  }
}
