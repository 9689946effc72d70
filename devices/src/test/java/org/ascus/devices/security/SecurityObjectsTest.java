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
    assertThatThrownBy(() -> X509Credentials.read(dir, true, true, Optional.empty(), TlsPriority.normal()))
        .isInstanceOf(SecurityObjectException.class)
        .hasMessageContaining("server-cert.pem");
  }

  @Test
  void aPriorityLeavesWhatItNames() throws Exception {
    TlsPriority normal = TlsPriority.normal();
    assertThat(normal.allowsVersion("TLSv1.3")).isTrue();
    assertThat(normal.allowsVersion("TLSv1.1")).isFalse();
    assertThat(normal.allowsSuite("TLS_AES_128_GCM_SHA256")).isTrue();
    assertThat(normal.allowsSuite("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA")).isTrue();
    assertThat(normal.allowsSuite("TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256")).isFalse();
    assertThat(normal.allowsSuite("TLS_RSA_WITH_3DES_EDE_CBC_SHA")).isFalse();
    TlsPriority strong = TlsPriority.parse("SECURE256:-VERS-ALL:+VERS-TLS1.2:!RSA:-SHA1", List.of("PSK"));
    assertThat(strong.allowsVersion("TLSv1.3")).isFalse();
    assertThat(strong.allowsVersion("TLSv1.2")).isTrue();
    assertThat(strong.allowsSuite("TLS_RSA_WITH_AES_256_GCM_SHA384")).isFalse();
    assertThat(strong.allowsSuite("TLS_PSK_WITH_AES_256_GCM_SHA384")).isTrue();
    assertThat(strong.allowsSuite("TLS_PSK_WITH_AES_128_GCM_SHA256")).isFalse();
    assertThat(strong.allowsSuite("TLS_PSK_WITH_AES_256_CBC_SHA")).isFalse();
    for (String wrong : List.of("FOO", "NORMAL:+FOO", "NORMAL:AES-128-GCM", "NORMAL:%UNSAFE_RENEGOTIATION", "")) {
      assertThatThrownBy(() -> TlsPriority.parse(wrong, List.of()))
          .hasMessageStartingWith("Unable to set TLS session priority " + wrong);
    }
  }

  @Test
  void whatIsWrongWithSharedKeysIsSaid() throws Exception {
    TlsPriority normal = TlsPriority.normal();
    assertThatThrownBy(() -> PskCredentials.read(dir, true, Optional.empty(), normal))
        .hasMessage("Unable to access credentials " + dir + "/keys.psk: No such file or directory");
    Files.writeString(dir.resolve("keys.psk"), "qemu:0011\nbad:xyz\nnone:\n");
    assertThat(PskCredentials.read(dir, false, Optional.empty(), normal).isServer()).isFalse();
    assertThatThrownBy(() -> PskCredentials.read(dir, false, Optional.of("fred"), normal))
        .hasMessage("Username fred not found in PSK file " + dir + "/keys.psk");
    assertThatThrownBy(() -> PskCredentials.read(dir, false, Optional.of("bad"), normal))
        .hasMessageContaining("not hexadecimal");
    assertThatThrownBy(() -> PskCredentials.read(dir, false, Optional.of("none"), normal))
        .hasMessageContaining("is empty");
    assertThatThrownBy(() -> PskCredentials.read(dir, true, Optional.of("qemu"), normal))
        .hasMessage("username should not be set when endpoint=server");
  }
}
