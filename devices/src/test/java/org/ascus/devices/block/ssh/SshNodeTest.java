package org.ascus.devices.block.ssh;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.sshd.common.keyprovider.KeyPairProvider;
import org.apache.sshd.common.util.buffer.ByteArrayBuffer;
import org.apache.sshd.server.SshServer;
import org.apache.sshd.server.auth.UserAuthNoneFactory;
import org.apache.sshd.sftp.server.SftpSubsystemFactory;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.protocol.FileProtocol;
import org.ascus.devices.block.protocol.Protocols;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against a server of the same library. Each request takes milliseconds: the contract of all nodes is kept short. */
class SshNodeTest {
  @TempDir private Path dir;
  private SshServer server;
  private KeyPair key;

  @BeforeEach
  void serve() throws Exception {
    KeyPairGenerator keys = KeyPairGenerator.getInstance("RSA");
    keys.initialize(2048);
    key = keys.generateKeyPair();
    server = SshServer.setUpDefaultServer();
    server.setHost("127.0.0.1");
    server.setPort(0);
    server.setKeyPairProvider(KeyPairProvider.wrap(key));
    server.setUserAuthFactories(List.of(UserAuthNoneFactory.INSTANCE));
    server.setSubsystemFactories(List.of(new SftpSubsystemFactory()));
    server.start();
  }

  @AfterEach
  void stop() throws Exception {
    server.stop(true);
  }

  private String hash() throws Exception {
    ByteArrayBuffer raw = new ByteArrayBuffer();
    raw.putRawPublicKey(key.getPublic());
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(raw.getCompactData()));
  }

  private BlockNode open(Path file, FileProtocol.Options options, String... more) throws BlockException {
    Map<String, String> keys = new HashMap<>(Map.of("server.host", "127.0.0.1", "server.port",
        Integer.toString(server.getPort()), "user", "somebody", "path", file.toString()));
    for (int i = 0; i < more.length; i += 2) {
      keys.put(more[i], more[i + 1]);
    }
    return Protocols.described("ssh", keys, Protocols.Objects.NONE).open(options);
  }

  private static byte[] read(BlockNode node, long at, int length) throws BlockException {
    ByteBuffer target = ByteBuffer.allocate(length);
    node.read(at, target);
    assertThat(target.hasRemaining()).isFalse();
    return target.array();
  }

  @Test
  void whatIsWrittenIsReadBack() throws Exception {
    byte[] model = new byte[512 * 1000];
    Random random = new Random(1);
    random.nextBytes(model);
    Path disk = Files.write(dir.resolve("disk"), model);
    BlockNode node = open(disk, FileProtocol.Options.READ_WRITE, "host-key-check.mode", "none");
    for (int i = 0; i < 12; i++) {
      int offset = random.nextInt(model.length);
      byte[] bytes = new byte[random.nextInt(Math.min(model.length - offset, 1 << 3 + i))];
      random.nextBytes(bytes);
      node.write(offset, ByteBuffer.wrap(bytes));
      System.arraycopy(bytes, 0, model, offset, bytes.length);
    }
    node.writeZeroes(1000, 2000, true);
    Arrays.fill(model, 1000, 3000, (byte) 0);
    Thread.currentThread().interrupt();
    node.flush();
    assertThat(Thread.interrupted()).isTrue();
    assertThat(read(node, 0, model.length)).isEqualTo(model);
    assertThatThrownBy(() -> read(node, model.length, 1)).hasMessageContaining("leaves");
    assertThatThrownBy(() -> node.write(-1, ByteBuffer.allocate(1))).hasMessageContaining("leaves");
    node.close();
    node.close();
    assertThat(Files.readAllBytes(disk)).isEqualTo(model);
  }

  @Test
  void aServerWithAnotherKeyGetsNothing() throws Exception {
    Path disk = Files.write(dir.resolve("disk"), new byte[1000]);
    FileProtocol.Options options = FileProtocol.Options.READ_ONLY;
    try (BlockNode node = open(disk, options, "host_key_check", "sha256:" + hash())) {
      assertThat(node.size()).isEqualTo(1024);
      assertThat(read(node, 0, 1024)).containsOnly(0);
      assertThatThrownBy(() -> node.write(0, ByteBuffer.allocate(1))).hasMessageContaining("read-only");
    }
    String other = "00".repeat(32);
    assertThatThrownBy(() -> open(disk, options, "host-key-check.mode", "hash", "host-key-check.type", "sha256",
        "host-key-check.hash", other)).hasMessageContaining("Could not open 'ssh://somebody@127.0.0.1");
    assertThatThrownBy(() -> open(disk, options)).as("known_hosts").isInstanceOf(BlockException.class);
    assertThatThrownBy(() -> open(dir.resolve("none"), options, "host_key_check", "no"))
        .isInstanceOf(BlockException.class);
    assertThatThrownBy(() -> HostKeyCheck.parse("maybe")).hasMessageContaining("unknown host_key_check setting");
  }

  @Test
  void imagesGrowWhereTheirFormatDoes() throws Exception {
    Path disk = Files.createFile(dir.resolve("disk"));
    FileProtocol.Options growable = new FileProtocol.Options(false, true, true);
    try (BlockNode node = open(disk, growable, "host_key_check", "no")) {
      node.write(700, ByteBuffer.wrap(new byte[] {1}));
      assertThat(node.size()).isEqualTo(701);
      node.resize(5000);
      assertThat(read(node, 4990, 20)).containsOnly(0);
    }
    assertThat(Files.size(disk)).isEqualTo(5000);
  }

  @Test
  void urlsAreUnderstood() throws Exception {
    SshAddress address = SshAddress.named("ssh://me@host:99/a/b?host_key_check=no");
    assertThat(address).isEqualTo(new SshAddress("host", 99, "me", "/a/b", new HostKeyCheck.None()));
    assertThat(SshAddress.named("ssh://host/x").check()).isEqualTo(new HostKeyCheck.KnownHosts());
    assertThatThrownBy(() -> SshAddress.named("ssh:/x")).isInstanceOf(BlockException.class);
  }
}
