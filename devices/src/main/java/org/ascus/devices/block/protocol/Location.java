package org.ascus.devices.block.protocol;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.filter.Filter;
import org.ascus.devices.block.http.HttpAddress;
import org.ascus.devices.block.nbd.NbdAddress;
import org.ascus.devices.block.ssh.SshAddress;

/** Where the bytes of an image are: a protocol and its options. {@link Protocols} reads them from text. */
public sealed interface Location {
  /** What a person would call it: a file name or a URL. */
  String name();

  /**
   * Opens it.
   *
   * @throws BlockException naming it and what is wrong
   */
  BlockNode open(FileProtocol.Options options) throws BlockException;

  /** What an image here means by the name of another file. */
  default Location neighbour(String other) throws BlockException {
    if (Protocols.hasProtocol(other)) {
      return Protocols.named(other);
    }
    if (other.startsWith("/")) {
      return new File(path(other));
    }
    int slash = name().lastIndexOf('/');
    if (!name().contains("://") || name().startsWith("nbd") || slash < name().indexOf("://") + 3) {
      throw new BlockException("Cannot generate a base directory with the location '" + name() + "' for '" + other
          + "'");
    }
    return Protocols.named(name().substring(0, slash + 1) + other);
  }

  private static Path path(String name) throws BlockException {
    try {
      return Path.of(name);
    } catch (InvalidPathException e) {
      throw new BlockException("Could not open '" + name + "': a file of this name cannot exist", e);
    }
  }

  /**
   * {@code file} and {@code host_device}: a file of the host.
   *
   * @param durable whether flushes reach the disk; not with {@code cache.no-flush=on}
   * @param direct whether it is read and written past the host's page cache, {@code cache.direct=on}
   */
  record File(Path path, boolean durable, boolean direct) implements Location {
    public File(Path path) {
      this(path, true, false);
    }

    public File(Path path, boolean durable) {
      this(path, durable, false);
    }

    @Override
    public String name() {
      return path.toString();
    }

    @Override
    public BlockNode open(FileProtocol.Options options) throws BlockException {
      return FileProtocol.open(path, options.withDurable(durable && options.durable()).withDirect(direct));
    }

    @Override
    public Location neighbour(String other) throws BlockException {
      if (Protocols.hasProtocol(other) && !other.startsWith("file:")) {
        return Protocols.named(other);
      }
      Path there = Location.path(other.startsWith("file:") ? other.substring("file:".length()) : other);
      return new File(path.resolveSibling(there), durable, direct);
    }
  }

  /** A filter under the image's format: {@code preallocate} and {@code blkdebug}. */
  record Filtered(Location below, Filter filter) implements Location {
    @Override
    public String name() {
      return below.name();
    }

    @Override
    public BlockNode open(FileProtocol.Options options) throws BlockException {
      BlockNode node = below.open(options);
      return options.readOnly() && filter instanceof Filter.Preallocate ? node : filter.over(node);
    }

    @Override
    public Location neighbour(String other) throws BlockException {
      return below.neighbour(other);
    }
  }

  /**
   * {@code null-co} and {@code null-aio}.
   *
   * @param size bytes
   * @param latencyNanos how long each request takes
   * @param readZeroes whether reads give zeroes; anything otherwise
   */
  record Null(String driver, long size, long latencyNanos, boolean readZeroes) implements Location {
    @Override
    public String name() {
      return driver + "://";
    }

    @Override
    public BlockNode open(FileProtocol.Options options) {
      return new NullNode(this, options.readOnly());
    }
  }

  /** {@code nbd}: an export of an NBD server. */
  record Nbd(NbdAddress address) implements Location {
    @Override
    public String name() {
      return address.url();
    }

    @Override
    public BlockNode open(FileProtocol.Options options) throws BlockException {
      return address.open(options);
    }
  }

  /** {@code http} and {@code https}: a file of a web server, read-only. */
  record Http(HttpAddress address) implements Location {
    @Override
    public String name() {
      return address.uri().toString();
    }

    @Override
    public BlockNode open(FileProtocol.Options options) throws BlockException {
      return address.open();
    }
  }

  /** {@code ssh}: a file on another host. */
  record Ssh(SshAddress address) implements Location {
    @Override
    public String name() {
      return address.url();
    }

    @Override
    public BlockNode open(FileProtocol.Options options) throws BlockException {
      return address.open(options);
    }
  }
}
