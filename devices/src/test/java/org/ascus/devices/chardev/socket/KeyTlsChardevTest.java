package org.ascus.devices.chardev.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.AlgorithmParameterGenerator;
import java.util.Base64;
import java.util.Optional;
import org.ascus.devices.chardev.socket.SocketOptions.Protocol;
import org.ascus.devices.security.AnonymousCredentials;
import org.ascus.devices.security.Authorization;
import org.ascus.devices.security.PskCredentials;
import org.ascus.devices.security.TlsCredentials;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** TLS with shared keys and with none, against openssl's and GnuTLS's programs and our own other side. */
@Timeout(120)
class KeyTlsChardevTest extends TlsChardevFixture {
  private static final String KEY = "00112233445566778899aabbccddeeff";
  private static final String WRONG_KEY = "ffeeddccbbaa99887766554433221100";

  @BeforeEach
  void keys() throws IOException {
    Files.writeString(dir.resolve("keys.psk"), "alice:" + KEY + "\nbob:" + WRONG_KEY + "\nbroken:xyz\n");
  }

  private PskCredentials psk(boolean server, Optional<String> user, String priority) throws Exception {
    return PskCredentials.read(dir, server, user, priority(priority, "ECDHE-PSK", "DHE-PSK", "PSK"));
  }

  private TlsCredentials anonymous(boolean server) throws Exception {
    return new AnonymousCredentials(Optional.of(dir), server, priority("NORMAL", "ANON-DH"));
  }

  private String openssl(int port, String text, String user, String key, String more) throws Exception {
    return client(text, words("openssl s_client -connect 127.0.0.1:" + port + " -psk_identity " + user + " -psk "
        + key + " " + more));
  }

  @ParameterizedTest
  @ValueSource(strings = {
      "-tls1_3",
      "-tls1_2 -cipher ECDHE-PSK-AES256-CBC-SHA",
      "-tls1_2 -cipher DHE-PSK-AES256-GCM-SHA384",
      "-tls1_2 -cipher PSK-AES128-GCM-SHA256"})
  void whoKnowsTheKeyComesIn(String version) throws Exception {
    int port = serve(psk(true, Optional.empty(), "NORMAL"), Optional.of(Authorization.simple("alice")));
    openssl(port, "hello", "alice", KEY, version);
    assertThat(guest.await(5)).isEqualTo("hello");
  }

  @ParameterizedTest
  @ValueSource(strings = {"-tls1_3", "-tls1_2"})
  void aWrongKeyAnUnknownUserAndWhoMayNotGetNothing(String version) throws Exception {
    int port = serve(psk(true, Optional.empty(), "NORMAL"), Optional.of(Authorization.simple("alice")));
    assertThat(openssl(port, "", "alice", WRONG_KEY, version)).contains("alert");
    String stranger = openssl(port, "", "nobody", KEY, version);
    assertThat(stranger).contains("alert").doesNotContain("unknown psk");
    assertThat(openssl(port, "", "broken", KEY, version)).contains("alert");
    openssl(port, "", "bob", WRONG_KEY, version);
    client("", words("openssl s_client -connect 127.0.0.1:" + port + " " + version));
    openssl(port, "hello", "alice", KEY, version);
    assertThat(guest.await(5)).isEqualTo("hello");
  }

  @Test
  void aClientIsThereOnceItIsEncryptedOrNotAtAll() throws Exception {
    int port = serve(psk(true, Optional.empty(), "NORMAL"), Optional.empty());
    SocketChardev client = open(port, false, psk(false, Optional.of("alice"), "NORMAL"), Optional.empty());
    assertThat(client.isConnected()).isTrue();
    client.close();
    SocketChardev denied =
        open(port, false, psk(false, Optional.of("alice"), "NORMAL"), Optional.of(Authorization.simple("nobody")));
    assertThat(denied.isConnected()).isFalse();
    Files.writeString(dir.resolve("keys.psk"), "alice:" + WRONG_KEY + "\n");
    TlsCredentials wrong = psk(false, Optional.of("alice"), "NORMAL");
    Files.writeString(dir.resolve("keys.psk"), "alice:" + KEY + "\n");
    assertThatThrownBy(() -> open(port, false, wrong, Optional.empty()))
        .hasMessageContaining("Failed to connect to '")
        .hasMessageContaining("TLS handshake failed: ");
  }

  @ParameterizedTest
  @ValueSource(strings = {"NORMAL", "NORMAL:-VERS-TLS1.3", "NORMAL:-VERS-TLS1.3:-ECDHE-PSK", "SECURE256"})
  void ourClientReachesOurServer(String priority) throws Exception {
    int port = serve(psk(true, Optional.empty(), priority), Optional.of(Authorization.simple("alice")));
    SocketChardev client = open(port, false, psk(false, Optional.of("alice"), "NORMAL"), Optional.empty());
    byte[] data = "x".repeat(100_000).getBytes(StandardCharsets.US_ASCII);
    await(client, true);
    client.write(data, 0, data.length);
    assertThat(guest.await(data.length)).hasSize(data.length);
  }

  /** In version 1.2 GnuTLS 3.7.9's own program crashes with the other key exchanges, when it describes them. */
  @ParameterizedTest
  @ValueSource(strings = {"NORMAL:+ECDHE-PSK:+DHE-PSK:+PSK", "NORMAL:-VERS-TLS1.3:+PSK"})
  void gnutlsComesInWithTheKeyOnly(String priority) throws Exception {
    int port = serve(psk(true, Optional.empty(), "NORMAL"), Optional.empty());
    String program = "gnutls-cli --no-ca-verification -p " + port + " --priority " + priority
        + " --pskusername alice 127.0.0.1 --pskkey ";
    assertThat(client("", words(program + WRONG_KEY))).doesNotContain("Handshake was completed");
    assertThat(client("hello", words(program + KEY))).contains("Handshake was completed");
    assertThat(guest.await(5)).isEqualTo("hello");
  }

  @ParameterizedTest
  @ValueSource(strings = {"openssl", "gnutls"})
  void nobodyNeedsAKeyWhereAllAreAnonymous(String program) throws Exception {
    int port = serve(anonymous(true), Optional.empty());
    String command =
        program.equals("openssl")
            ? "openssl s_client -cipher aNULL:@SECLEVEL=0 -tls1_2 -connect 127.0.0.1:" + port
            : "gnutls-cli --no-ca-verification --priority NORMAL:+ANON-DH:-VERS-TLS1.3 -p " + port + " 127.0.0.1";
    client("hello", words(command));
    assertThat(guest.await(5)).isEqualTo("hello");
  }

  @Test
  void whoHasNoIdentityIsNotAuthorized() throws Exception {
    int port = serve(anonymous(true), Optional.of(_ -> true));
    openssl(port, "", "alice", KEY, "-tls1_2 -cipher aNULL:@SECLEVEL=0");
    assertThat(opened.getFirst().isConnected()).isFalse();
  }

  @Test
  void aServerUsesTheGroupInItsFolder() throws Exception {
    for (int bits : new int[] {2048, 3072}) {
      AlgorithmParameterGenerator generator = AlgorithmParameterGenerator.getInstance("DH");
      generator.init(bits);
      Files.writeString(dir.resolve("dh-params.pem"), "-----BEGIN DH PARAMETERS-----\n"
          + Base64.getMimeEncoder().encodeToString(generator.generateParameters().getEncoded())
          + "\n-----END DH PARAMETERS-----\n");
      int port = serve(anonymous(true), Optional.empty());
      String command = "openssl s_client -cipher aNULL:@SECLEVEL=0 -tls1_2 -connect 127.0.0.1:" + port;
      assertThat(client("", words(command))).contains("DH, " + bits + " bits");
      SocketChardev client = open(port, false, anonymous(false), Optional.empty());
      await(client, true);
    }
    Files.writeString(dir.resolve("dh-params.pem"), "nothing");
    assertThatThrownBy(() -> anonymous(true)).hasMessageContaining("Unable to load DH parameters from");
  }

  @ParameterizedTest
  @ValueSource(strings = {"NORMAL:+ECDHE-PSK:+DHE-PSK:+PSK", "NORMAL:-VERS-TLS1.3:+DHE-PSK", "NORMAL:+ANON-DH"})
  void ourClientTalksToGnutls(String priority) throws Exception {
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/gnutls-serv")), "gnutls-serv is not installed");
    int port;
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    Process server =
        new ProcessBuilder(words("gnutls-serv --echo --nodb --port " + port + " --priority " + priority
            + " --pskpasswd keys.psk")).directory(dir.toFile()).redirectErrorStream(true)
            .redirectOutput(dir.resolve("serv-log").toFile()).start();
    try {
      TlsCredentials tls =
          priority.contains("PSK") ? psk(false, Optional.of("alice"), "NORMAL") : anonymous(false);
      SocketChardev client =
          SocketChardev.open(
              new SocketOptions(SocketChardevTest.loopback(port), false, false, true, 1, Protocol.RAW,
                  Optional.of(tls), Optional.empty()));
      opened.add(client);
      client.connect(guest);
      await(client, true);
      client.write("hello\n".getBytes(StandardCharsets.US_ASCII), 0, 6);
      assertThat(guest.await(6)).isEqualTo("hello\n");
    } finally {
      server.destroy();
    }
  }
}
