package org.ascus.devices.chardev.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import org.ascus.devices.security.Authorization;
import org.ascus.devices.security.Secret;
import org.ascus.devices.security.TestCertificates;
import org.ascus.devices.security.TlsCredentials;
import org.ascus.devices.security.X509Credentials;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** TLS with certificates, against openssl's and GnuTLS's clients and our own. */
@Timeout(120)
class TlsChardevTest extends TlsChardevFixture {
  private static final Optional<Authorization> ALICE = Optional.of(Authorization.simple("CN=alice,O=Test"));

  private TlsCredentials server(String priority) throws Exception {
    return X509Credentials.read(dir, true, true, Optional.empty(), priority(priority));
  }

  private String openssl(int port, String text, String more) throws Exception {
    return client(text, words("openssl s_client -connect 127.0.0.1:" + port + " " + more));
  }

  @ParameterizedTest
  @CsvSource({"EC, tls1_3", "RSA, tls1_3", "EC, tls1_2", "RSA, tls1_2"})
  void aClientWithACertificateComesIn(String kind, String version) throws Exception {
    TestCertificates certificates = new TestCertificates(dir);
    certificates.issue("server", "localhost", kind);
    certificates.issue("alice", "alice", kind);
    int port = serve(server("NORMAL"), ALICE);
    assertThat(openssl(port, "hello", "-cert alice-cert.pem -key alice-key.pem -" + version))
        .contains("New, " + version.replace("tls1_", "TLSv1."));
    assertThat(guest.await(5)).isEqualTo("hello");
  }

  @ParameterizedTest
  @ValueSource(strings = {"EC", "RSA"})
  void gnutlsSpeaksTheNewestVersion(String kind) throws Exception {
    TestCertificates certificates = new TestCertificates(dir);
    certificates.issue("alice", "alice", kind);
    int port = serve(server("NORMAL"), ALICE);
    String program = "gnutls-cli --x509cafile ca-cert.pem -p " + port + " 127.0.0.1";
    client("", words(program));
    assertThat(opened.getFirst().isConnected()).isFalse();
    assertThat(client("hello", words(program + " --x509certfile alice-cert.pem --x509keyfile alice-key.pem")))
        .contains("(TLS1.3-X.509)");
    assertThat(guest.await(5)).isEqualTo("hello");
  }

  @ParameterizedTest
  @ValueSource(strings = {"NORMAL:-VERS-TLS1.2", "NORMAL:-VERS-TLS1.3"})
  void noCertificateAForeignOneAWrongNameAndNoTlsGetNothing(String priority) throws Exception {
    TestCertificates certificates = new TestCertificates(Files.createDirectory(dir.resolve("foreign")));
    certificates.issue("alice", "alice");
    certificates = new TestCertificates(dir);
    certificates.issue("alice", "alice");
    certificates.issue("mallory", "mallory");
    int port = serve(server(priority), ALICE);
    SocketChardev channel = opened.getFirst();
    openssl(port, "", "");
    assertThat(channel.isConnected()).isFalse();
    openssl(port, "", "-cert foreign/alice-cert.pem -key foreign/alice-key.pem");
    assertThat(channel.isConnected()).isFalse();
    // The certificate is public; whoever shows it needs its key.
    openssl(port, "", "-cert alice-cert.pem -key mallory-key.pem");
    assertThat(channel.isConnected()).isFalse();
    try (Socket plain = new Socket("127.0.0.1", port)) {
      plain.getOutputStream().write("hello, this is no TLS at all".getBytes(StandardCharsets.US_ASCII));
      plain.setSoTimeout(20_000);
      assertThat(readToEnd(plain)).isLessThan(20);
    }
    TlsCredentials tls =
        X509Credentials.read(certificates.client("mallory"), false, true, Optional.empty(), priority("NORMAL"));
    SocketChardev mallory = open(port, false, tls, Optional.empty());
    byte[] data = "let me in".getBytes(StandardCharsets.US_ASCII);
    mallory.write(data, 0, data.length);
    await(mallory, false);
    // The next one, who may come in, proves that what went before was dropped.
    openssl(port, "hello", "-cert alice-cert.pem -key alice-key.pem");
    assertThat(guest.await(5)).isEqualTo("hello");
  }

  @Test
  void aKeyMayHaveAPassword() throws Exception {
    TestCertificates certificates = new TestCertificates(dir);
    certificates.issue("alice", "alice", "RSA");
    Path folder = certificates.client("alice");
    client("", words("openssl pkcs8 -topk8 -v2 aes-256-cbc -passout pass:secret -in alice-key.pem -out of-alice/k"));
    Files.move(folder.resolve("k"), folder.resolve("client-key.pem"), StandardCopyOption.REPLACE_EXISTING);
    int port = serve(server("NORMAL"), ALICE);
    await(open(port, false, encrypted(folder, "secret"), Optional.empty()), true);
    assertThatThrownBy(() -> encrypted(folder, "wrong")).hasMessageContaining("client-key.pem cannot be decrypted");
  }

  @ParameterizedTest
  @ValueSource(strings = {"EC", "RSA"})
  void keysMayBeInTheFormThatToolsWriteUnlessToldOtherwise(String kind) throws Exception {
    TestCertificates certificates = new TestCertificates(dir);
    certificates.issue("server", "localhost", kind);
    certificates.issue("alice", "alice", kind);
    client("", words("openssl pkey -traditional -in server-key.pem -out k"));
    assertThat(Files.readString(dir.resolve("k"))).contains("BEGIN " + kind + " PRIVATE KEY");
    Files.move(dir.resolve("k"), dir.resolve("server-key.pem"), StandardCopyOption.REPLACE_EXISTING);
    int port = serve(server("NORMAL"), ALICE);
    openssl(port, "hello", "-cert alice-cert.pem -key alice-key.pem");
    assertThat(guest.await(5)).isEqualTo("hello");
  }

  private static TlsCredentials encrypted(Path folder, String password) throws Exception {
    Secret.Source source =
        new Secret.Source(Optional.of(password), Optional.empty(), false, Optional.empty(), Optional.empty());
    return X509Credentials.read(folder, false, true, Optional.of(Secret.read(source)), priority("NORMAL"));
  }

  @Test
  void ourClientReachesOurServer() throws Exception {
    TestCertificates certificates = new TestCertificates(dir);
    certificates.issue("alice", "alice", "RSA");
    int port = serve(server("NORMAL"), ALICE);
    SocketChardev client =
        open(
            port,
            false,
            X509Credentials.read(certificates.client("alice"), false, true, Optional.empty(), priority("NORMAL")),
            Optional.empty());
    byte[] data = "x".repeat(100_000).getBytes(StandardCharsets.US_ASCII);
    await(client, true);
    client.write(data, 0, data.length);
    assertThat(guest.await(data.length)).hasSize(data.length);
  }

  private static int readToEnd(Socket socket) {
    int count = 0;
    try {
      while (socket.getInputStream().read() >= 0) {
        count++;
      }
    } catch (IOException e) {
      // Cut off, which is as good as ended.
    }
    return count;
  }
}
