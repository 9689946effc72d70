package org.ascus.devices.block.ssh;

import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;
import org.apache.sshd.client.keyverifier.AcceptAllServerKeyVerifier;
import org.apache.sshd.client.keyverifier.KnownHostsServerKeyVerifier;
import org.apache.sshd.client.keyverifier.RejectAllServerKeyVerifier;
import org.apache.sshd.client.keyverifier.ServerKeyVerifier;
import org.apache.sshd.common.util.buffer.ByteArrayBuffer;
import org.ascus.devices.block.BlockException;

/** How a server proves that it is the one that was meant. */
public sealed interface HostKeyCheck {
  /** {@code known_hosts}: its key is in the user's file. */
  record KnownHosts() implements HostKeyCheck {}

  /** {@code none}. */
  record None() implements HostKeyCheck {}

  /**
   * {@code hash}: its key has this digest.
   *
   * @param algorithm of the digest, Java's name
   * @param hex the digest
   */
  record Hash(String algorithm, String hex) implements HostKeyCheck {
    private boolean covers(PublicKey key) {
      try {
        ByteArrayBuffer raw = new ByteArrayBuffer();
        raw.putRawPublicKey(key);
        byte[] digest = MessageDigest.getInstance(algorithm).digest(raw.getCompactData());
        return MessageDigest.isEqual(digest, HexFormat.of().parseHex(hex));
      } catch (GeneralSecurityException e) {
        return false;
      }
    }
  }

  /** {@code type} and hexadecimal digest, with or without colons. */
  static HostKeyCheck hash(String type, String digest) throws BlockException {
    String algorithm = Map.of("md5", "MD5", "sha1", "SHA-1", "sha256", "SHA-256").get(type);
    String hex = digest.replace(":", "").toLowerCase(Locale.ROOT);
    if (algorithm == null || hex.length() % 2 != 0 || !hex.matches("[0-9a-f]+")) {
      throw new BlockException("unknown host_key_check setting (" + type + ":" + digest + ")");
    }
    return new Hash(algorithm, hex);
  }

  /** The setting of a URL or of {@code host_key_check}: yes, no, or TYPE:DIGEST. */
  static HostKeyCheck parse(String setting) throws BlockException {
    int colon = setting.indexOf(':');
    return switch (setting) {
      case "yes" -> new KnownHosts();
      case "no" -> new None();
      default -> hash(colon < 0 ? setting : setting.substring(0, colon), colon < 0 ? "" : setting.substring(colon + 1));
    };
  }

  /** What the SSH library asks. */
  default ServerKeyVerifier verifier(Path knownHosts) {
    return switch (this) {
      case None _ -> AcceptAllServerKeyVerifier.INSTANCE;
      case Hash hash -> (session, address, key) -> hash.covers(key);
      case KnownHosts _ -> new KnownHostsServerKeyVerifier(RejectAllServerKeyVerifier.INSTANCE, knownHosts);
    };
  }
}
