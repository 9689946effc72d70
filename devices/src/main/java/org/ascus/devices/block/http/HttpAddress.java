package org.ascus.devices.block.http;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Optional;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.protocol.Keys;
import org.ascus.devices.block.protocol.Protocols;

/**
 * An image on a web server.
 *
 * @param readAhead bytes that are asked for at least
 * @param verify whether the server must prove who it is
 * @param timeoutSeconds how long an answer may take
 * @param cookie sent with each request; empty for none
 * @param user whom to log in; empty for nobody
 * @param password of the user
 */
public record HttpAddress(
    URI uri, int readAhead, boolean verify, long timeoutSeconds, String cookie, String user, String password) {
  private static final int READ_AHEAD = 256 << 10;
  private static final int MOST_READ_AHEAD = 64 << 20;
  private static final long TIMEOUT = 5;
  private static final long MOST_TIMEOUT = 10_000;

  private static URI uri(String url) throws BlockException {
    try {
      URI uri = new URI(url);
      if (uri.getHost() != null && ("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()))) {
        return uri;
      }
    } catch (URISyntaxException e) {
      throw new BlockException("Could not open '" + url + "': " + e.getReason(), e);
    }
    throw new BlockException("Could not open '" + url + "': expected http://HOST/PATH or https://HOST/PATH");
  }

  /** What a file name that is a URL means. */
  public static HttpAddress named(String url) throws BlockException {
    return new HttpAddress(uri(url), READ_AHEAD, true, TIMEOUT, "", "", "");
  }

  /** What the options of {@code driver=http} and {@code driver=https} mean. */
  public static HttpAddress described(String driver, Keys keys, Protocols.Objects objects) throws BlockException {
    URI uri = uri(keys.require("url"));
    if (!driver.equals(uri.getScheme())) {
      throw new BlockException(driver + " curl driver cannot handle the URL '" + uri + "' (does not start with '"
          + driver + "://')");
    }
    long ahead = keys.size("readahead", READ_AHEAD);
    if (ahead % 512 != 0 || ahead > MOST_READ_AHEAD) {
      throw new BlockException("HTTP_READAHEAD_SIZE " + ahead + " is not a multiple of 512, or too big");
    }
    long timeout = keys.size("timeout", TIMEOUT);
    if (timeout < 1 || timeout > MOST_TIMEOUT) {
      throw new BlockException("timeout parameter is too large or negative");
    }
    Optional<String> cookie = keys.text("cookie");
    Optional<String> secret = keys.text("cookie-secret");
    if (cookie.isPresent() && secret.isPresent()) {
      throw new BlockException("curl driver cannot handle both cookie and cookie secret");
    }
    String user = keys.text("username").orElse("");
    Optional<String> password = keys.text("password-secret");
    return new HttpAddress(
        uri,
        (int) ahead,
        keys.flag("sslverify", true),
        timeout,
        secret.isPresent() ? objects.secret(secret.get()).text() : cookie.orElse(""),
        user,
        password.isPresent() ? objects.secret(password.get()).text() : "");
  }

  /** Asks the server for the image's size. */
  public BlockNode open() throws BlockException {
    return HttpNode.open(this);
  }
}
