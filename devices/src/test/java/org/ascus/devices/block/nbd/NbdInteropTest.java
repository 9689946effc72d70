package org.ascus.devices.block.nbd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.format.ImageOptions;
import org.ascus.devices.block.protocol.FileProtocol;
import org.ascus.devices.security.Authorization;
import org.ascus.devices.security.PskCredentials;
import org.ascus.devices.security.TestCertificates;
import org.ascus.devices.security.TlsCredentials;
import org.ascus.devices.security.TlsPriority;
import org.ascus.devices.security.X509Credentials;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Our server and the clients of others, our client and the server of QEMU. */
class NbdInteropTest {
  private static final int SIZE = 6 << 20;

  @TempDir private Path dir;
  private byte[] content;

  @BeforeEach
  void toolsAreInstalled() throws Exception {
    for (String tool : List.of("nbdinfo", "nbdcopy", "qemu-img", "qemu-nbd")) {
      boolean there = Files.isExecutable(Path.of("/usr/bin/" + tool));
      if (!there) {
        System.err.println("SKIPPED: NbdInteropTest needs " + tool + " (apt install libnbd-bin qemu-utils)");
      }
      assumeTrue(there, tool + " is not installed");
    }
    content = original();
    Files.write(dir.resolve("disk"), content);
  }

  private static byte[] original() {
    byte[] all = new byte[SIZE];
    new Random(4).nextBytes(all);
    Arrays.fill(all, 1 << 20, 3 << 20, (byte) 0);
    return all;
  }

  private String run(String... command) throws Exception {
    Path log = dir.resolve("log");
    Process process =
        new ProcessBuilder(command).directory(dir.toFile()).redirectErrorStream(true).redirectOutput(log.toFile())
            .start();
    int code = process.waitFor();
    String output = Files.readString(log, StandardCharsets.UTF_8);
    assertThat(code).as(output).isZero();
    return output;
  }

  @Test
  void othersReadAndWriteWhatIsServedHere() throws Exception {
    UnixDomainSocketAddress at = UnixDomainSocketAddress.of(dir.resolve("s"));
    NbdServer server = NbdServer.listen(at, new NbdServer.Options(Optional.empty(), Optional.empty(), 0));
    String url = "nbd+unix:///x?socket=" + at;
    try (BlockNode node = FileProtocol.open(dir.resolve("disk"), FileProtocol.Options.READ_WRITE.withUnmap(true))) {
      node.writeZeroes(1 << 20, 2 << 20, true);
      DirtyRanges dirty = new DirtyRanges("b0");
      dirty.add(65536, 65536);
      server.add(new NbdExport("x", "the disk", node, false, true, List.of(dirty)));
      assertThat(run("nbdinfo", "--map=qemu:dirty-bitmap:b0", url).lines().map(l -> l.strip().replaceAll(" +", " ")))
          .containsExactly("0 65536 0 clean", "65536 65536 1 dirty", "131072 6160384 0 clean");
      assertThat(run("nbdinfo", url)).contains("the disk").contains("structured packets").contains("base:allocation");
      assertThat(run("nbdinfo", "--map", url)).contains("hole,zero");
      run("nbdcopy", url, "copy");
      assertThat(Files.readAllBytes(dir.resolve("copy"))).isEqualTo(content);
      new Random(5).nextBytes(content);
      Files.write(dir.resolve("new"), content);
      run("nbdcopy", "--flush", "new", url);
      run("qemu-img", "compare", "-f", "raw", "-F", "raw", url, "new");
      run("qemu-io", "-f", "raw", "-c", "write -z -u 1M 1M", "-c", "discard 4M 1M", "-c", "write -f -P 7 0 512", url);
      Arrays.fill(content, 1 << 20, 2 << 20, (byte) 0);
      Arrays.fill(content, 4 << 20, 5 << 20, (byte) 0);
      Arrays.fill(content, 0, 512, (byte) 7);
    } finally {
      server.close();
    }
    assertThat(Files.readAllBytes(dir.resolve("disk"))).isEqualTo(content);
  }

  @Test
  void imagesOfQemusServerAreReadAndWritten() throws Exception {
    run("qemu-img", "convert", "-O", "qcow2", "disk", "disk.qcow2");
    for (String format : List.of("raw", "qcow2")) {
      run("qemu-nbd", "--fork", "-t", "-k", dir + "/q", "-f", "raw", "--pid-file", dir + "/pid", "-x", "x",
          format.equals("raw") ? "disk" : "disk.qcow2");
      String url = "nbd+unix:///x?socket=" + dir.resolve("q");
      try (BlockNode node = ImageOptions.named(url, format, false, false, true).open()) {
        ByteBuffer got = ByteBuffer.allocate(SIZE);
        node.read(0, got);
        assertThat(got.array()).isEqualTo(content);
        assertThat(node.extent(1 << 20, 1 << 20).zero()).isEqualTo(format.equals("qcow2"));
        node.write(5000, ByteBuffer.wrap(content, 0, 5000));
        node.flush();
      } finally {
        endQemuNbd();
      }
      System.arraycopy(content, 0, content, 5000, 5000);
      run("qemu-img", "convert", "-f", format, "-O", "raw", format.equals("raw") ? "disk" : "disk.qcow2", "out");
      assertThat(Files.readAllBytes(dir.resolve("out"))).isEqualTo(content);
      content = original();
    }
  }

  @Test
  void aSharedKeyGuardsBothKindsOfServers() throws Exception {
    Files.writeString(dir.resolve("keys.psk"), "qemu:0011223344556677\n");
    Path other = Files.createDirectory(dir.resolve("other"));
    Files.writeString(other.resolve("keys.psk"), "qemu:7766554433221100\n");
    TlsPriority normal = TlsPriority.parse("NORMAL", List.of("PSK", "DHE-PSK", "ECDHE-PSK"));
    TlsCredentials credentials = PskCredentials.read(dir, true, Optional.empty(), normal);
    NbdServer server =
        NbdServer.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
            new NbdServer.Options(Optional.of(credentials), Optional.of(Authorization.simple("qemu")), 0));
    try (BlockNode node = FileProtocol.open(dir.resolve("disk"), FileProtocol.Options.READ_WRITE)) {
      server.add(new NbdExport("x", "", node, false, false));
      int port = ((InetSocketAddress) server.localAddress()).getPort();
      String url = "nbds://qemu@127.0.0.1:" + port + "/x?tls-psk-file=" + dir + "/";
      assertThat(run("nbdinfo", url + "keys.psk")).contains("with TLS");
      run("nbdcopy", url + "keys.psk", "copy");
      assertThat(Files.readAllBytes(dir.resolve("copy"))).isEqualTo(content);
      assertThatThrownBy(() -> run("nbdinfo", url + "other/keys.psk")).isInstanceOf(AssertionError.class);
      String remote = "driver=nbd,host=127.0.0.1,export=x,tls-creds=t,port=" + port;
      run("qemu-img", "info", "--object", "tls-creds-psk,id=t,dir=" + dir, "--image-opts", remote);
      assertThatThrownBy(
          () -> run("qemu-img", "info", "--object", "tls-creds-psk,id=t,dir=" + other, "--image-opts", remote))
          .isInstanceOf(AssertionError.class);
    } finally {
      server.close();
    }
    int port;
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    run("qemu-nbd", "--fork", "-t", "-b", "127.0.0.1", "-p", Integer.toString(port), "-f", "raw", "--pid-file",
        dir + "/pid", "-x", "x", "--object", "tls-creds-psk,id=t,endpoint=server,dir=" + dir, "--tls-creds", "t",
        "disk");
    try {
      assertThat(readBy(PskCredentials.read(dir, false, Optional.empty(), normal), port)).isEqualTo(content);
      TlsCredentials wrong = PskCredentials.read(other, false, Optional.empty(), normal);
      assertThatThrownBy(() -> readBy(wrong, port)).hasMessageContaining("TLS handshake failed: ");
    } finally {
      endQemuNbd();
    }
  }

  @ParameterizedTest
  @CsvSource({"RSA, -VERS-TLS1.2", "EC, -VERS-TLS1.2", "RSA, -VERS-TLS1.3", "EC, -VERS-TLS1.3"})
  void clientsOfQemuWithACertificateReadAnExport(String kind, String without) throws Exception {
    TestCertificates certificates = new TestCertificates(dir);
    certificates.issue("server", "localhost", kind);
    certificates.issue("alice", "alice", kind);
    certificates.issue("bob", "bob", kind);
    TlsPriority priority = TlsPriority.parse("NORMAL:" + without, List.of());
    TlsCredentials credentials = X509Credentials.read(dir, true, true, Optional.empty(), priority);
    Authorization alice = Authorization.simple("CN=alice,O=Test");
    NbdServer server =
        NbdServer.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
            new NbdServer.Options(Optional.of(credentials), Optional.of(alice), 0));
    try (BlockNode node = FileProtocol.open(dir.resolve("disk"), FileProtocol.Options.READ_WRITE)) {
      server.add(new NbdExport("x", "", node, false, false));
      int port = ((InetSocketAddress) server.localAddress()).getPort();
      String url = "nbds://localhost:" + port + "/x?tls-certificates=";
      assertThat(run("nbdinfo", url + certificates.client("alice"))).contains("with TLS");
      run("nbdcopy", url + certificates.client("alice"), "copy");
      assertThat(Files.readAllBytes(dir.resolve("copy"))).isEqualTo(content);
      assertThatThrownBy(() -> run("nbdinfo", url + certificates.client("bob"))).isInstanceOf(AssertionError.class);
      run("qemu-img", "info", "--object", "tls-creds-x509,id=t,endpoint=client,dir=" + certificates.client("alice"),
          "--image-opts", "driver=nbd,host=localhost,export=x,tls-creds=t,port=" + port);
    } finally {
      server.close();
    }
  }

  private static byte[] readBy(TlsCredentials credentials, int port) throws Exception {
    InetSocketAddress at = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    NbdAddress address = new NbdAddress("test", at, "x", Optional.of(credentials), "localhost:" + port, 0, 0);
    try (BlockNode node = address.open(FileProtocol.Options.READ_WRITE)) {
      ByteBuffer got = ByteBuffer.allocate(SIZE);
      node.read(0, got);
      return got.array();
    }
  }

  private void endQemuNbd() throws Exception {
    long pid = Long.parseLong(Files.readString(dir.resolve("pid")).strip());
    Optional<ProcessHandle> process = ProcessHandle.of(pid);
    process.ifPresent(ProcessHandle::destroy);
    process.ifPresent(p -> p.onExit().join());
  }
}
