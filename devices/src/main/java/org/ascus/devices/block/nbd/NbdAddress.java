package org.ascus.devices.block.nbd;

import java.net.SocketAddress;
import java.util.List;
import java.util.Optional;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.protocol.FileProtocol;
import org.ascus.devices.security.TlsCredentials;

/**
 * An export of an NBD server.
 *
 * @param url what a person would call it
 * @param server where it listens; a host's name is looked up when it is connected to
 * @param export name of the export, maybe empty
 * @param tls what encrypts the connection
 * @param tlsTarget the host and port that the server's certificate must be for
 * @param reconnectSeconds how long requests wait for a connection that was lost
 * @param openSeconds how long the first connection is tried
 */
public record NbdAddress(
    String url,
    SocketAddress server,
    String export,
    Optional<TlsCredentials> tls,
    String tlsTarget,
    long reconnectSeconds,
    long openSeconds) {
  /** Names of the transmission flags from bit 1 on. */
  private static final List<String> FLAGS = List.of(
      "readonly", "flush", "fua", "rotational", "trim", "zeroes", "df", "multi", "resize", "cache", "fast-zero");

  /** Connects. */
  public BlockNode open(FileProtocol.Options options) throws BlockException {
    return NbdNode.open(this, options.readOnly());
  }

  BlockException failure(String what) {
    return new BlockException("Could not open '" + url + "': " + what);
  }

  /** The server's exports, as {@code qemu-nbd --list} shows them. */
  public String list() throws BlockException {
    List<NbdHandshake.Listed> all = NbdConnection.list(this);
    StringBuilder text = new StringBuilder("exports available: " + all.size() + "\n");
    for (NbdHandshake.Listed e : all) {
      text.append(" export: '").append(e.name()).append("'\n");
      text.append(e.description().isEmpty() ? "" : "  description: " + e.description() + "\n");
      text.append("  size:  ").append(e.size()).append("\n");
      text.append(String.format("  flags: 0x%x (", e.flags()));
      for (int bit = 1; bit <= FLAGS.size(); bit++) {
        text.append((e.flags() >> bit & 1) != 0 ? " " + FLAGS.get(bit - 1) : "");
      }
      text.append(" )\n  min block: ").append(e.minimumBlock());
      text.append("\n  opt block: ").append(e.preferredBlock());
      text.append("\n  max block: ").append(e.maximumBlock());
      text.append("\n  available meta contexts: ").append(e.contexts().size()).append("\n");
      e.contexts().forEach(c -> text.append("   ").append(c).append("\n"));
    }
    return text.toString();
  }
}
