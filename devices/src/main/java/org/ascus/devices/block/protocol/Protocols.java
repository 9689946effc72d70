package org.ascus.devices.block.protocol;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.filter.BlkdebugRules;
import org.ascus.devices.block.filter.Filter;
import org.ascus.devices.block.http.HttpAddress;
import org.ascus.devices.block.nbd.NbdOptions;
import org.ascus.devices.block.ssh.SshAddress;
import org.ascus.devices.security.Secret;
import org.ascus.devices.security.TlsCredentials;

/** Reads {@link Location}s: {@code driver=} with its options, and file names that are URLs. */
public final class Protocols {
  /** What a file name may begin with; another word with a colon behind is no name of a file either. */
  private static final Set<String> NAMES =
      Set.of("file", "null-co", "null-aio", "nbd", "nbd+tcp", "nbd+unix", "http", "https", "ssh");

  private static final Set<String> DRIVERS = Set.of("file", "host_device", "null-co", "null-aio", "nbd", "http",
      "https", "ssh", "preallocate");
  private static final long NULL_SIZE = 1L << 30;
  private static final long PREALLOCATE_ALIGN = 1 << 20;
  private static final long PREALLOCATE_SIZE = 128 << 20;

  private Protocols() {}

  /** The {@code -object}s that options name. */
  public interface Objects {
    /** What may be named where there are none. */
    Objects NONE =
        new Objects() {
          @Override
          public TlsCredentials credentials(String id) throws BlockException {
            throw new BlockException("No TLS credentials with id '" + id + "'");
          }

          @Override
          public Secret secret(String id) throws BlockException {
            throw new BlockException("No secret with id '" + id + "'");
          }
        };

    TlsCredentials credentials(String id) throws BlockException;

    Secret secret(String id) throws BlockException;

    /** A protocol node by its name, which becomes part of another. */
    default Location node(String name) throws BlockException {
      throw new BlockException("Cannot find device='' nor node-name='" + name + "'");
    }
  }

  /** Whether {@code driver=} names a protocol, or a filter that is only put over one. */
  public static boolean isDriver(String driver) {
    return DRIVERS.contains(driver);
  }

  /** What {@code driver=} can name here. */
  public static Set<String> drivers() {
    return DRIVERS;
  }

  /** Whether a file name is a URL or the like: a word and a colon before any slash. */
  public static boolean hasProtocol(String name) {
    int colon = name.indexOf(':');
    return colon > 0 && name.lastIndexOf('/', colon) < 0;
  }

  /**
   * What a file name means.
   *
   * @throws BlockException {@code Unknown protocol 'x'}
   */
  public static Location named(String name) throws BlockException {
    if (!hasProtocol(name)) {
      return new Location.File(path(name));
    }
    String protocol = name.substring(0, name.indexOf(':'));
    if (!NAMES.contains(protocol)) {
      throw new BlockException("Unknown protocol '" + protocol + "'");
    }
    String rest = name.substring(protocol.length() + 1);
    return switch (protocol) {
      case "file" -> new Location.File(path(rest));
      case "nbd", "nbd+tcp", "nbd+unix" -> new Location.Nbd(NbdOptions.named(name));
      case "http", "https" -> new Location.Http(HttpAddress.named(name));
      case "ssh" -> new Location.Ssh(SshAddress.named(name));
      default -> new Location.Null(protocol, NULL_SIZE, 0, false);
    };
  }

  private static Path path(String name) throws BlockException {
    try {
      return Path.of(name);
    } catch (InvalidPathException e) {
      throw new BlockException("Could not open '" + name + "': a file of this name cannot exist", e);
    }
  }

  /**
   * What a driver's options mean.
   *
   * @param keys the options by their names; those that are understood are taken out
   * @param objects what options may name
   */
  public static Location described(String driver, Map<String, String> keys, Objects objects) throws BlockException {
    Keys k = new Keys(keys);
    k.text("node-name");
    return switch (driver) {
      case "file", "host_device" -> {
        boolean direct = k.flag("cache.direct", false);
        if (k.oneOf("aio", "threads", "native", "io_uring").orElse("threads").equals("native") && !direct) {
          throw new BlockException(
              "aio=native was specified, but it requires cache.direct=on, which was not specified.");
        }
        Path path = path(k.require("filename"));
        checkKind(driver, path);
        yield new Location.File(path, !k.flag("cache.no-flush", false), direct);
      }
      case "null-co", "null-aio" ->
          new Location.Null(driver, k.size("size", NULL_SIZE), k.size("latency-ns", 0), k.flag("read-zeroes", false));
      case "nbd" -> new Location.Nbd(NbdOptions.described(k, objects));
      case "http", "https" -> new Location.Http(HttpAddress.described(driver, k, objects));
      case "ssh" -> new Location.Ssh(SshAddress.described(k));
      case "preallocate" -> {
        Filter filter =
            Filter.Preallocate.of(
                k.size("prealloc-align", PREALLOCATE_ALIGN), k.size("prealloc-size", PREALLOCATE_SIZE));
        yield new Location.Filtered(child(k, "file", objects), filter);
      }
      case "blkdebug" -> {
        Filter filter = new Filter.Blkdebug(BlkdebugRules.read(keys));
        yield new Location.Filtered(child(k, "image", objects), filter);
      }
      default -> throw new BlockException("Unknown driver '" + driver + "'");
    };
  }

  /**
   * Fails where a driver is not for what a path leads to: {@code file} is for files, and {@code host_device} for the
   * host's devices.
   *
   * @param driver one of the two
   */
  public static void checkKind(String driver, Path path) throws BlockException {
    boolean device = driver.equals("host_device");
    if (device && (Files.isRegularFile(path) || Files.isDirectory(path))) {
      throw new BlockException("'host_device' driver requires '" + path + "' to be either a character or block device");
    }
    if (!device && Files.exists(path) && !Files.isRegularFile(path)) {
      throw new BlockException("'file' driver requires '" + path + "' to be a regular file");
    }
  }

  /** The node under a filter: one by its name, or described in the filter's options. */
  private static Location child(Keys k, String name, Objects objects) throws BlockException {
    Optional<String> reference = k.text(name);
    if (reference.isPresent()) {
      return objects.node(reference.get());
    }
    Keys inner = k.within(name + ".");
    String driver = inner.text("driver").orElse("file");
    Location location = described(driver, inner.values(), objects);
    inner.expectEmpty(driver);
    return location;
  }
}
