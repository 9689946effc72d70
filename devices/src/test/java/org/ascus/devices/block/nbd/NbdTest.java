package org.ascus.devices.block.nbd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.BlockNodeContract;
import org.ascus.devices.block.filter.FilterNode;
import org.ascus.devices.block.protocol.FileProtocol;
import org.ascus.devices.block.protocol.Keys;
import org.ascus.devices.block.protocol.Protocols;
import org.ascus.devices.security.Authorization;
import org.ascus.devices.security.TestCertificates;
import org.ascus.devices.security.TlsCredentials;
import org.ascus.devices.security.TlsPriority;
import org.ascus.devices.security.X509Credentials;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Client and server against each other and against peers that break the protocol. */
class NbdTest extends BlockNodeContract {
  private static final NbdServer.Options ANYBODY = new NbdServer.Options(Optional.empty(), Optional.empty(), 0);

  @TempDir private Path dir;
  private final List<AutoCloseable> open = new ArrayList<>();

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable each : open.reversed()) {
      each.close();
    }
  }

  private SocketAddress socket() {
    return UnixDomainSocketAddress.of(dir.resolve("socket"));
  }

  private NbdServer serve(SocketAddress at, NbdServer.Options options, byte[] content) throws Exception {
    Path file = Files.write(dir.resolve("disk"), content);
    BlockNode disk = FileProtocol.open(file, FileProtocol.Options.READ_WRITE.withUnmap(true));
    open.add(disk);
    NbdServer server = NbdServer.listen(at, options);
    open.add(server::close);
    server.add(new NbdExport("disk", "a disk", disk, false, false));
    server.add(new NbdExport("fixed", "", disk, true, false));
    return server;
  }

  private static NbdAddress address(SocketAddress at, String export, String... more) throws BlockException {
    Map<String, String> keys = new HashMap<>();
    if (at instanceof UnixDomainSocketAddress unix) {
      keys.put("server.type", "unix");
      keys.put("server.path", unix.toString());
    } else {
      keys.put("server.type", "inet");
      keys.put("server.host", "127.0.0.1");
      keys.put("server.port", Integer.toString(((InetSocketAddress) at).getPort()));
    }
    keys.put("export", export);
    for (int i = 0; i < more.length; i += 2) {
      keys.put(more[i], more[i + 1]);
    }
    return NbdOptions.described(new Keys(keys), Protocols.Objects.NONE);
  }

  private static BlockNode connect(SocketAddress at, String export, String... more) throws BlockException {
    return address(at, export, more).open(FileProtocol.Options.READ_WRITE);
  }

  @Override
  protected BlockNode node(byte[] content) throws Exception {
    serve(socket(), ANYBODY, content);
    return connect(socket(), "disk");
  }

  @Test
  void holesArePassedOn() throws Exception {
    byte[] content = new byte[4 << 20];
    new Random(1).nextBytes(content);
    try (BlockNode node = node(content)) {
      node.writeZeroes(1 << 20, 1 << 20, true);
      assertThat(node.extent(0, 4 << 20)).satisfies(e -> assertThat(e.zero()).isFalse())
          .satisfies(e -> assertThat(e.length()).isEqualTo(1 << 20));
      assertThat(node.extent(1 << 20, 3 << 20)).satisfies(e -> assertThat(e.zero()).isTrue())
          .satisfies(e -> assertThat(e.length()).isEqualTo(1 << 20));
      Arrays.fill(content, 1 << 20, 2 << 20, (byte) 0);
      assertThat(read(node, 0, content.length)).isEqualTo(content);
    }
  }

  @Test
  void manyThreadsShareAConnection() throws Exception {
    byte[] content = new byte[1 << 20];
    try (BlockNode node = node(content)) {
      List<Thread> threads = new ArrayList<>();
      for (int t = 0; t < 8; t++) {
        byte fill = (byte) (t + 1);
        int from = t << 17;
        threads.add(
            Thread.ofPlatform()
                .start(
                    () -> {
                      try {
                        for (int i = 0; i < 64; i++) {
                          byte[] piece = new byte[2048];
                          Arrays.fill(piece, fill);
                          node.write(from + i * 2048, ByteBuffer.wrap(piece));
                          assertThat(read(node, from + i * 2048, 2048)).isEqualTo(piece);
                        }
                      } catch (BlockException e) {
                        throw new AssertionError(e);
                      }
                    }));
      }
      for (Thread thread : threads) {
        thread.join();
      }
      for (int t = 0; t < 8; t++) {
        assertThat(read(node, t << 17, 1 << 17)).containsOnly((byte) (t + 1));
      }
    }
  }

  @Test
  void exportsSayWhatTheyAllow() throws Exception {
    serve(socket(), ANYBODY, new byte[4096]);
    try (BlockNode node = connect(socket(), "fixed")) {
      assertThat(node.readOnly()).isTrue();
      assertThatThrownBy(() -> node.write(0, ByteBuffer.allocate(1))).hasMessageContaining("read-only");
    }
    assertThatThrownBy(() -> connect(socket(), "other"))
        .hasMessageContaining("export 'other' is not there: export 'other' not present");
    assertThat(address(socket(), "").list()).contains("exports available: 2").contains("export: 'disk'")
        .contains("description: a disk").contains("base:allocation").contains("readonly");
  }

  @Test
  void requestsWaitForTheServerToComeBackOnlyIfTheyMay() throws Exception {
    NbdServer first = serve(socket(), ANYBODY, new byte[4096]);
    BlockNode patient = connect(socket(), "disk", "reconnect-delay", "60");
    open.add(patient);
    BlockNode hasty = connect(socket(), "disk");
    open.add(hasty);
    patient.write(0, ByteBuffer.wrap(new byte[] {1, 2, 3}));
    first.close();
    assertThatThrownBy(() -> read(hasty, 0, 3)).isInstanceOf(BlockException.class);
    BlockNode disk = FileProtocol.open(dir.resolve("disk"), FileProtocol.Options.READ_ONLY.withUnmap(false));
    open.add(disk);
    Thread later =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    NbdServer second = NbdServer.listen(socket(), ANYBODY);
                    second.add(new NbdExport("disk", "", writable(disk), false, false));
                    open.addFirst(second::close);
                  } catch (IOException e) {
                    throw new AssertionError(e);
                  }
                });
    assertThat(read(patient, 0, 3)).containsExactly(1, 2, 3);
    later.join();
    assertThat(read(hasty, 0, 3)).containsExactly(1, 2, 3);
  }

  @Test
  void aSocketThatListensAlreadyIsServed() throws Exception {
    try (ServerSocketChannel unix = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        ServerSocketChannel tcp = ServerSocketChannel.open()) {
      unix.bind(socket());
      tcp.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      BlockNode disk = FileProtocol.open(Files.write(dir.resolve("disk"), new byte[] {7}),
          FileProtocol.Options.READ_ONLY);
      open.add(disk);
      for (ServerSocketChannel listening : List.of(unix, tcp)) {
        SocketAddress at = listening.getLocalAddress();
        NbdServer server = NbdServer.on(listening, ANYBODY);
        server.add(new NbdExport("disk", "", disk, true, false));
        try (BlockNode node = address(at, "disk").open(FileProtocol.Options.READ_ONLY)) {
          assertThat(read(node, 0, 1)).containsExactly(7);
        }
        server.close();
      }
      assertThat(dir.resolve("socket")).exists();
    }
  }

  /** Says that it can be written. */
  private static BlockNode writable(BlockNode node) {
    return new FilterNode(node) {
      @Override
      public boolean readOnly() {
        return false;
      }
    };
  }

  @Test
  void encryptedConnectionsNeedTheRightCertificates() throws Exception {
    TestCertificates certificates = new TestCertificates(dir);
    certificates.issue("alice", "alice");
    certificates.issue("bob", "bob");
    TlsCredentials server = X509Credentials.read(dir, true, true, Optional.empty(), TlsPriority.normal());
    Authorization alice = Authorization.simple("CN=alice,O=Test");
    NbdServer.Options guarded = new NbdServer.Options(Optional.of(server), Optional.of(alice), 0);
    SocketAddress at =
        serve(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), guarded, new byte[4096]).localAddress();
    assertThatThrownBy(() -> connect(at, "disk")).hasMessageContaining("TLS");
    assertThat(tls(at, certificates.client("alice"))).containsOnly(0);
    assertThatThrownBy(() -> tls(at, certificates.client("bob"))).isInstanceOf(BlockException.class);
    assertThatThrownBy(() -> tls(at, certificates.client("alice"), "other.example"))
        .hasMessageContaining("TLS handshake failed: ");
    TlsCredentials careless =
        X509Credentials.read(certificates.client("alice"), false, false, Optional.empty(), TlsPriority.normal());
    assertThat(tls(at, careless, "other.example")).containsOnly(0);
  }

  private static byte[] tls(SocketAddress at, Path folder) throws Exception {
    return tls(at, folder, "localhost");
  }

  private static byte[] tls(SocketAddress at, Path folder, String name) throws Exception {
    return tls(at, X509Credentials.read(folder, false, true, Optional.empty(), TlsPriority.normal()), name);
  }

  private static byte[] tls(SocketAddress at, TlsCredentials mine, String name) throws Exception {
    int port = ((InetSocketAddress) at).getPort();
    NbdAddress guarded = new NbdAddress("test", at, "disk", Optional.of(mine), name + ":" + port, 0, 0);
    try (BlockNode node = guarded.open(FileProtocol.Options.READ_WRITE)) {
      return read(node, 0, 4096);
    }
  }

  /** What a server sends to a client that then must fail with an error and nothing else. */
  private void lies(byte[] bytes, String complaint) throws Exception {
    try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Thread liar =
          Thread.ofPlatform()
              .start(
                  () -> {
                    try (Socket peer = listener.accept()) {
                      peer.getOutputStream().write(bytes);
                      peer.getInputStream().readAllBytes();
                    } catch (IOException e) {
                      // The client went away, as it should.
                    }
                  });
      assertThatThrownBy(() -> connect(listener.getLocalSocketAddress(), "x").close())
          .isInstanceOf(BlockException.class)
          .hasMessageContaining(complaint);
      liar.join();
    }
  }

  private static ByteBuffer greeting() {
    return ByteBuffer.allocate(400).putLong(Wire.MAGIC).putLong(Wire.OPTION_MAGIC).putShort((short) 3);
  }

  private static byte[] bytes(ByteBuffer b) {
    return Arrays.copyOf(b.array(), b.position());
  }

  private static ByteBuffer answer(ByteBuffer b, int option, int type, int length) {
    return b.putLong(Wire.OPTION_REPLY_MAGIC).putInt(option).putInt(type).putInt(length);
  }

  @Test
  void serversThatLieGetAClearErrorEach() throws Exception {
    lies("HTTP/1.1 400 Bad Request\r\n".getBytes(), "not an NBD server");
    lies(ByteBuffer.allocate(18).putLong(Wire.MAGIC).putLong(0x00420281861253L).array(), "not newstyle");
    lies(ByteBuffer.allocate(18).putLong(Wire.MAGIC).putLong(Wire.OPTION_MAGIC).array(), "fixed newstyle");
    lies(bytes(answer(greeting(), 8, 1, Integer.MAX_VALUE)), "reply of 2147483647 bytes");
    lies(bytes(greeting().putLong(7).putLong(7).putInt(0)), "bad magic");
    lies(bytes(answer(greeting(), 7, 1, 0)), "answers option 7 instead of 8");
    ByteBuffer go = answer(answer(greeting(), 8, Wire.REP_ERR_UNSUP, 0), 7, Wire.REP_INFO, 12);
    lies(bytes(answer(go.putShort((short) 0).putLong(-5).putShort((short) 1), 7, 1, 0)), "impossible size");
    ByteBuffer block = answer(answer(greeting(), 8, Wire.REP_ERR_UNSUP, 0), 7, Wire.REP_INFO, 14);
    block.putShort((short) 3).putInt(3).putInt(4).putInt(5);
    lies(bytes(answer(block, 7, 1, 0)), "impossible block sizes");
    lies(bytes(answer(answer(greeting(), 8, Wire.REP_ERR_UNSUP, 0), 7, 1, 0)), "does not tell the size");
  }

  @Test
  void clientsThatSendRubbishDisturbNobody() throws Exception {
    serve(socket(), ANYBODY, new byte[4096]);
    NbdServer tcp = NbdServer.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), ANYBODY);
    open.add(tcp::close);
    Random random = new Random(3);
    for (int i = 0; i < 60; i++) {
      try (Socket peer = new Socket()) {
        peer.connect(tcp.localAddress());
        DataInputStream in = new DataInputStream(peer.getInputStream());
        in.readFully(new byte[18]);
        DataOutputStream out = new DataOutputStream(peer.getOutputStream());
        out.writeInt(i % 4 == 0 ? random.nextInt() : 1);
        for (int option = 0; option < 4; option++) {
          out.writeLong(i % 3 == 0 ? random.nextLong() : Wire.OPTION_MAGIC);
          out.writeInt(random.nextInt(12));
          byte[] data = new byte[random.nextInt(40)];
          random.nextBytes(data);
          out.writeInt(i % 5 == 0 ? -1 : data.length);
          out.write(data);
        }
      } catch (IOException e) {
        // It hung up.
      }
    }
    try (BlockNode node = connect(socket(), "disk")) {
      assertThat(read(node, 0, 4096)).containsOnly(0);
    }
  }

  @Test
  void requestsThatMakeNoSenseAreRefusedOneByOne() throws Exception {
    serve(socket(), ANYBODY, new byte[4096]);
    NbdConnection connection = NbdConnection.open(address(socket(), "disk"));
    try {
      assertThatThrownBy(() -> connection.read(4000, ByteBuffer.allocate(97))).hasMessageContaining("Invalid argument");
      assertThatThrownBy(() -> connection.read(-1, ByteBuffer.allocate(1))).hasMessageContaining("Invalid argument");
      assertThatThrownBy(() -> connection.write(Long.MAX_VALUE, ByteBuffer.allocate(1)))
          .hasMessageContaining("No space left");
      assertThatThrownBy(() -> connection.command(77, 0, 0, 1)).hasMessageContaining("Invalid argument");
      assertThatThrownBy(() -> connection.command(Wire.CMD_WRITE_ZEROES, 0x100, 0, 1))
          .hasMessageContaining("Invalid argument");
      connection.read(0, ByteBuffer.allocate(4096));
    } finally {
      connection.close();
    }
  }

  @Test
  void urlsAndOldNamesAreUnderstood() throws Exception {
    assertThat(NbdOptions.named("nbd://host/a%20b").export()).isEqualTo("a b");
    assertThat(NbdOptions.named("nbd://host").server()).isEqualTo(InetSocketAddress.createUnresolved("host", 10809));
    assertThat(NbdOptions.named("nbd:host:99:exportname=x").url()).isEqualTo("nbd://host:99/x");
    assertThat(NbdOptions.named("nbd://[::1]:99/").url()).isEqualTo("nbd://[::1]:99");
    assertThat(NbdOptions.named("nbd+unix:///x?socket=/tmp/s").url()).isEqualTo("nbd+unix:///x?socket=/tmp/s");
    assertThat(NbdOptions.named("nbd:unix:/tmp/s").server()).isEqualTo(UnixDomainSocketAddress.of("/tmp/s"));
    for (String bad : List.of("nbd:host", "nbd:host:x", "nbd://", "nbd+unix:///x", "nbd://host:99999/")) {
      assertThatThrownBy(() -> NbdOptions.named(bad)).as(bad).isInstanceOf(BlockException.class);
    }
  }
}
