package org.ascus.devices.block.nbd;

import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnixDomainSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.protocol.Keys;
import org.ascus.devices.block.protocol.Protocols;
import org.ascus.devices.security.TlsCredentials;

/** Reads {@link NbdAddress}es: options of {@code driver=nbd}, URLs, and {@code nbd:host:port}. */
public final class NbdOptions {
  private static final String EXPORT_NAME = ":exportname=";

  private NbdOptions() {}

  private static NbdAddress address(SocketAddress server, String export) {
    return new NbdAddress(url(server, export), server, export, Optional.empty(), "", 0, 0);
  }

  private static String url(SocketAddress server, String export) {
    if (server instanceof InetSocketAddress inet) {
      String host = inet.getHostString().contains(":") ? "[" + inet.getHostString() + "]" : inet.getHostString();
      return "nbd://" + host + ":" + inet.getPort() + (export.isEmpty() ? "" : "/" + export);
    }
    return "nbd+unix:///" + export + "?socket=" + server;
  }

  private static SocketAddress inet(String host, String port) throws BlockException {
    try {
      int number = Integer.parseInt(port);
      if (number > 0 && number < 65536) {
        return InetSocketAddress.createUnresolved(host, number);
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    throw new BlockException("invalid port '" + port + "'");
  }

  private static SocketAddress unix(String path) throws BlockException {
    try {
      return UnixDomainSocketAddress.of(path);
    } catch (IllegalArgumentException e) {
      throw new BlockException("invalid socket path '" + path + "'", e);
    }
  }

  /** What a file name that begins with {@code nbd} means. */
  public static NbdAddress named(String name) throws BlockException {
    if (name.contains("://")) {
      return url(name);
    }
    String rest = name.substring("nbd:".length());
    int at = rest.indexOf(EXPORT_NAME);
    String export = at < 0 ? "" : rest.substring(at + EXPORT_NAME.length());
    String where = at < 0 ? rest : rest.substring(0, at);
    if (where.startsWith("unix:")) {
      return address(unix(where.substring("unix:".length())), export);
    }
    int colon = where.lastIndexOf(':');
    if (colon <= 0) {
      throw new BlockException("Could not open '" + name + "': error parsing address '" + where + "'");
    }
    String host = where.substring(0, colon);
    boolean bracketed = host.startsWith("[") && host.endsWith("]");
    return address(
        inet(bracketed ? host.substring(1, host.length() - 1) : host, where.substring(colon + 1)), export);
  }

  private static NbdAddress url(String name) throws BlockException {
    try {
      URI uri = new URI(name);
      String path = uri.getPath() == null ? "" : uri.getPath();
      String export = path.startsWith("/") ? path.substring(1) : path;
      if (name.startsWith("nbd+unix:")) {
        String query = uri.getQuery() == null ? "" : uri.getQuery();
        if (uri.getHost() != null || !query.startsWith("socket=")) {
          throw new BlockException("Could not open '" + name + "': expected nbd+unix:///EXPORT?socket=PATH");
        }
        return address(unix(query.substring("socket=".length())), export);
      }
      if (uri.getHost() == null || uri.getQuery() != null) {
        throw new BlockException("Could not open '" + name + "': expected nbd://HOST[:PORT][/EXPORT]");
      }
      String host = uri.getHost();
      boolean bracketed = host.startsWith("[");
      String port = Integer.toString(uri.getPort() < 0 ? Wire.DEFAULT_PORT : uri.getPort());
      return address(inet(bracketed ? host.substring(1, host.length() - 1) : host, port), export);
    } catch (URISyntaxException e) {
      throw new BlockException("Could not open '" + name + "': " + e.getReason(), e);
    }
  }

  /** What the options of {@code driver=nbd} mean. */
  public static NbdAddress described(Keys keys, Protocols.Objects objects) throws BlockException {
    Optional<String> type = keys.oneOf("server.type", "inet", "unix");
    Optional<String> path = keys.text("server.path").or(() -> keys.text("path"));
    Optional<String> host = keys.text("server.host").or(() -> keys.text("host"));
    String port = keys.text("server.port").or(() -> keys.text("port")).orElse(Integer.toString(Wire.DEFAULT_PORT));
    if (path.isPresent() && host.isPresent()) {
      throw new BlockException("path and host may not be used at the same time");
    }
    boolean unix = type.isPresent() ? type.get().equals("unix") : path.isPresent();
    Optional<String> place = unix ? path : host;
    if (place.isEmpty()) {
      throw new BlockException("one of path and host must be specified");
    }
    String export = keys.text("export").orElse("");
    if (export.getBytes(StandardCharsets.UTF_8).length > Wire.MOST_NAME) {
      throw new BlockException("export name too long to send to server");
    }
    Optional<String> id = keys.text("tls-creds");
    Optional<TlsCredentials> tls = id.isEmpty() ? Optional.empty() : Optional.of(objects.credentials(id.get()));
    if (tls.isPresent() && tls.get().isServer()) {
      throw new BlockException("Expecting TLS credentials with a client endpoint");
    }
    String certified = keys.text("tls-hostname").orElse(unix ? "" : place.get());
    SocketAddress server = unix ? unix(place.get()) : inet(place.get(), port);
    return new NbdAddress(url(server, export), server, export, tls, certified.isEmpty() ? "" : certified + ":" + port,
        keys.size("reconnect-delay", 0), keys.size("open-timeout", 0));
  }
}
