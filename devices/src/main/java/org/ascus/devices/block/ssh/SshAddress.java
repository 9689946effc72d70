package org.ascus.devices.block.ssh;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Optional;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.protocol.FileProtocol;
import org.ascus.devices.block.protocol.Keys;

/**
 * A file that an SSH server gives access to.
 *
 * @param user whom to log in
 * @param check how the server proves who it is
 */
public record SshAddress(String host, int port, String user, String path, HostKeyCheck check) {
  private static final int PORT = 22;

  private static String me() {
    return System.getProperty("user.name");
  }

  private static int port(String text) throws BlockException {
    if (text.matches("[0-9]{1,5}") && Integer.parseInt(text) > 0 && Integer.parseInt(text) < 65536) {
      return Integer.parseInt(text);
    }
    throw new BlockException("invalid port '" + text + "'");
  }

  /** What {@code ssh://[user@]host[:port]/path[?host_key_check=setting]} means. */
  public static SshAddress named(String url) throws BlockException {
    try {
      URI uri = new URI(url);
      String query = uri.getQuery() == null ? "host_key_check=yes" : uri.getQuery();
      if (uri.getHost() == null || uri.getPath() == null || uri.getPath().isEmpty()
          || !query.startsWith("host_key_check=")) {
        throw new BlockException("Could not open '" + url
            + "': expected ssh://[USER@]HOST[:PORT]/PATH[?host_key_check=SETTING]");
      }
      return new SshAddress(
          uri.getHost(),
          uri.getPort() < 0 ? PORT : uri.getPort(),
          uri.getUserInfo() == null ? me() : uri.getUserInfo(),
          uri.getPath(),
          HostKeyCheck.parse(query.substring("host_key_check=".length())));
    } catch (URISyntaxException e) {
      throw new BlockException("Could not open '" + url + "': " + e.getReason(), e);
    }
  }

  /** What the options of {@code driver=ssh} mean. */
  public static SshAddress described(Keys keys) throws BlockException {
    Optional<String> host = keys.text("server.host").or(() -> keys.text("host"));
    String port = keys.text("server.port").or(() -> keys.text("port")).orElse(Integer.toString(PORT));
    if (host.isEmpty()) {
      throw new BlockException("No hostname was specified");
    }
    Optional<String> legacy = keys.text("host_key_check");
    String mode = keys.oneOf("host-key-check.mode", "none", "hash", "known_hosts").orElse("known_hosts");
    HostKeyCheck check =
        legacy.isPresent()
            ? HostKeyCheck.parse(legacy.get())
            : switch (mode) {
              case "none" -> new HostKeyCheck.None();
              case "hash" ->
                  HostKeyCheck.hash(keys.require("host-key-check.type"), keys.require("host-key-check.hash"));
              default -> new HostKeyCheck.KnownHosts();
            };
    return new SshAddress(host.get(), port(port), keys.text("user").orElse(me()), keys.require("path"), check);
  }

  /** The URL; the check is left out. */
  public String url() {
    return "ssh://" + user + "@" + host + ":" + port + path;
  }

  /** Connects and logs in, with the keys in the user's {@code .ssh} folder. */
  public BlockNode open(FileProtocol.Options options) throws BlockException {
    return SshNode.open(this, options);
  }
}
