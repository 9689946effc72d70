package org.ascus.launcher.img;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.FutureTask;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.format.ImageOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NbdMainTest {
  @TempDir private Path dir;
  private final ByteArrayOutputStream said = new ByteArrayOutputStream();

  private int run(String... words) {
    PrintStream out = new PrintStream(said, true, StandardCharsets.UTF_8);
    return NbdMain.run(List.of(words), out, out);
  }

  private String said() {
    String text = said.toString(StandardCharsets.UTF_8);
    said.reset();
    return text;
  }

  @Test
  void anImageIsServedUntilItsClientLeaves() throws Exception {
    Path disk = Files.write(dir.resolve("disk"), new byte[8192]);
    Path socket = dir.resolve("s");
    FutureTask<Integer> server =
        new FutureTask<>(() -> run("-k", socket.toString(), "-x", "part", "-f", "raw", "-o", "4k", disk.toString()));
    Thread.ofPlatform().daemon().start(server);
    String url = "json:{\"driver\":\"nbd\",\"path\":\"" + socket + "\",\"export\":\"part\",\"open-timeout\":60}";
    try (BlockNode node = ImageOptions.named(url, "raw", false, false, true).open()) {
      assertThat(node.size()).isEqualTo(4096);
      node.write(0, java.nio.ByteBuffer.wrap(new byte[] {5}));
    }
    assertThat(server.get()).as(said()).isZero();
    assertThat(Files.readAllBytes(disk)[4096]).isEqualTo((byte) 5);
    assertThat(socket).doesNotExist();
  }

  @Test
  void mistakesAreSaidAsTheyAre() throws Exception {
    assertThat(run("--help")).isZero();
    assertThat(said()).contains("--export-name").contains("--tls-authz");
    assertThat(run()).isEqualTo(1);
    assertThat(said()).contains("Invalid number of arguments");
    assertThat(run("-k", dir + "/s", dir + "/nosuch")).isEqualTo(1);
    assertThat(said()).contains("Could not open '" + dir + "/nosuch': No such file or directory");
    assertThat(run("-p", "99999", "x")).isEqualTo(1);
    assertThat(run("-o", "1k", "x")).isEqualTo(1);
    assertThat(said()).contains("Offset is only possible with the raw format");
    assertThat(run("--tls-authz=a", "x")).isEqualTo(1);
    assertThat(said()).contains("--tls-authz is not permitted without --tls-creds");
    assertThat(run("--bad")).isEqualTo(1);
    assertThat(said()).contains("unrecognized option '--bad'");
    assertThat(run("-L", "-k", dir + "/none")).isEqualTo(1);
    assertThat(said()).contains("Failed to connect");
  }
}
