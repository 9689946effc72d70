package org.ascus.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class HostServersTest {
  @Test
  void webServerHasWhatItsChecksumIsOf() throws IOException, NoSuchAlgorithmException {
    HostServers.Web web = HostServers.web(2);
    try (var in = URI.create("http://127.0.0.1:" + web.port() + "/").toURL().openStream()) {
      byte[] content = in.readAllBytes();
      assertThat(content).hasSize(2 << 20);
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(content);
      assertThat(web.sha256()).isEqualTo(HexFormat.of().formatHex(digest));
    }
  }
}
