package org.ascus.devices.security;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Optional;
import org.ascus.devices.host.HostErrors;

/**
 * {@code keys.psk}: a line {@code USERNAME:KEY} for each user, the key in hexadecimal, as GnuTLS's {@code psktool}
 * writes it. It is read whenever a key is looked for, so that users come and go while a server runs.
 */
record PskFile(Path path) {
  private static final String NAME = "keys.psk";

  /** The file in {@code folder}. */
  static PskFile in(Path folder) throws SecurityObjectException {
    Path path = folder.resolve(NAME);
    if (!Files.isReadable(path)) {
      throw new SecurityObjectException("Unable to access credentials " + path + ": No such file or directory");
    }
    return new PskFile(path);
  }

  /**
   * The key of {@code username}.
   *
   * @throws SecurityObjectException if the file cannot be read, or what is behind the name is no key
   */
  Optional<byte[]> key(String username) throws SecurityObjectException {
    try {
      for (String line : Files.readString(path, StandardCharsets.ISO_8859_1).lines().toList()) {
        if (line.startsWith(username + ":")) {
          byte[] key = HexFormat.of().parseHex(line.substring(username.length() + 1).strip());
          if (key.length == 0) {
            throw new SecurityObjectException("The key of " + username + " in PSK file " + path + " is empty");
          }
          return Optional.of(key);
        }
      }
      return Optional.empty();
    } catch (IOException e) {
      throw new SecurityObjectException("Cannot read PSK file " + path + ": " + HostErrors.reason(e), e);
    } catch (IllegalArgumentException e) {
      throw new SecurityObjectException(
          "The key of " + username + " in PSK file " + path + " is not hexadecimal", e);
    }
  }
}
