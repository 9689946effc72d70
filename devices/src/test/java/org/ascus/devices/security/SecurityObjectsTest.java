package org.ascus.devices.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.ascus.devices.security.Authorization.Rule;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SecurityObjectsTest {
  @TempDir private Path dir;

  private static Secret.Source data(String text, boolean base64) {
    return new Secret.Source(Optional.of(text), Optional.empty(), base64, Optional.empty(), Optional.empty());
  }

  @Test
  void aSecretIsTextOrBase64OrAFile() throws Exception {
    assertThat(Secret.read(data("letmein", false)).text()).isEqualTo("letmein");
    assertThat(Secret.read(data("bGV0bWVpbg==", true)).text()).isEqualTo("letmein");
    Path file = Files.writeString(dir.resolve("s"), "from file");
    Secret.Source source =
        new Secret.Source(Optional.empty(), Optional.of(file), false, Optional.empty(), Optional.empty());
    assertThat(Secret.read(source).text()).isEqualTo("from file");
    assertThat(Secret.read(data("letmein", false))).hasToString("Secret");
  }

  @Test
  void anEncryptedSecretNeedsItsKey() throws Exception {
    byte[] key = new byte[32];
    byte[] iv = new byte[16];
    key[3] = 7;
    iv[5] = 9;
    Cipher cipher = Cipher.getInstance("AES/CBC/PKCS5Padding");
    cipher.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(key, "AES"), new IvParameterSpec(iv));
    Base64.Encoder base64 = Base64.getEncoder();
    String text = base64.encodeToString(cipher.doFinal("hidden".getBytes(StandardCharsets.UTF_8)));
    Secret master = Secret.read(data(base64.encodeToString(key), true));
    assertThat(Secret.read(encrypted(text, master, base64.encodeToString(iv))).text()).isEqualTo("hidden");
    assertThatThrownBy(() -> Secret.read(encrypted(text, master, base64.encodeToString(new byte[15]))))
        .isInstanceOf(SecurityObjectException.class)
        .hasMessageContaining("15");
    Secret other = Secret.read(data("short", false));
    assertThatThrownBy(() -> Secret.read(encrypted(text, other, base64.encodeToString(iv))))
        .isInstanceOf(SecurityObjectException.class)
        .hasMessageContaining("32 bytes");
  }

  private static Secret.Source encrypted(String text, Secret key, String iv) {
    return new Secret.Source(Optional.of(text), Optional.empty(), false, Optional.of(key), Optional.of(iv));
  }

  @Test
  void whatIsWrongWithASecretIsSaid() {
    Secret.Source none =
        new Secret.Source(Optional.empty(), Optional.empty(), false, Optional.empty(), Optional.empty());
    assertThatThrownBy(() -> Secret.read(none)).hasMessageContaining("'file' or 'data'");
    Secret.Source missing =
        new Secret.Source(Optional.empty(), Optional.of(dir.resolve("x")), false, Optional.empty(), Optional.empty());
    assertThatThrownBy(() -> Secret.read(missing)).hasMessageContaining("Unable to read");
  }

  @Test
  void theFirstRuleThatMatchesDecides() {
    Authorization list =
        Authorization.list(
            List.of(
                new Rule("CN=bad", false, false),
                new Rule("CN=*,O=Test", true, true),
                new Rule("CN=[ab]?", true, true)),
            false);
    assertThat(list.allows("CN=bad")).isFalse();
    assertThat(list.allows("CN=x,O=Test")).isTrue();
    assertThat(list.allows("CN=x,O=Test,C=DE")).isFalse();
    assertThat(list.allows("CN=ax")).isTrue();
    assertThat(list.allows("CN=cx")).isFalse();
    assertThat(Authorization.list(List.of(), true).allows("anyone")).isTrue();
    assertThat(Authorization.simple("fred").allows("fred")).isTrue();
    assertThat(Authorization.simple("fred").allows("fredx")).isFalse();
  }

  @Test
  void missingCertificatesAreNamed() {
    assertThatThrownBy(() -> TlsCredentials.x509(dir, true, true, Optional.empty()))
        .isInstanceOf(SecurityObjectException.class)
        .hasMessageContaining("server-cert.pem");
  }
}
