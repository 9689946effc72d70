package org.ascus.devices.block.protocol;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.ascus.devices.block.BlockException;

/** Reads {@link Location}s: {@code driver=} with its options, and file names that are URLs. */
public final class Protocols {
  /** What a file name may begin with; another word with a colon behind is no name of a file either. */
  private static final Set<String> NAMES = Set.of("file", "null-co", "null-aio");

  private static final Set<String> DRIVERS = Set.of("file", "host_device", "null-co", "null-aio");
  private static final long NULL_SIZE = 1L << 30;

  private Protocols() {}

  /** Whether {@code driver=} names a protocol. */
  public static boolean isDriver(String driver) {
    return DRIVERS.contains(driver);
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
   */
  public static Location described(String driver, Map<String, String> keys) throws BlockException {
    Keys k = new Keys(keys);
    k.text("node-name");
    return switch (driver) {
      case "file", "host_device" -> {
        k.oneOf("aio", "threads", "native", "io_uring");
        k.flag("cache.direct", false);
        yield new Location.File(path(k.require("filename")), !k.flag("cache.no-flush", false));
      }
      case "null-co", "null-aio" ->
          new Location.Null(driver, k.size("size", NULL_SIZE), k.size("latency-ns", 0), k.flag("read-zeroes", false));
      default -> throw new BlockException("Unknown driver '" + driver + "'");
    };
  }
}
