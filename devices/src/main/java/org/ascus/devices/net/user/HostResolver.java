package org.ascus.devices.net.user;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Supplier;

/** The name server that the host asks, from {@code /etc/resolv.conf}; looked up again every now and then. */
final class HostResolver implements Supplier<Optional<InetSocketAddress>> {
  private static final Path CONFIGURATION = Path.of("/etc/resolv.conf");
  private static final int PORT = 53;
  private static final long VALID_NANOS = Duration.ofSeconds(10).toNanos();

  private final Path file;
  private Optional<InetSocketAddress> found = Optional.empty();
  private long readAt;
  private boolean read;

  HostResolver() {
    this(CONFIGURATION);
  }

  HostResolver(Path file) {
    this.file = file;
  }

  @Override
  public Optional<InetSocketAddress> get() {
    if (!read || System.nanoTime() - readAt > VALID_NANOS) {
      read = true;
      readAt = System.nanoTime();
      found = load();
    }
    return found;
  }

  private Optional<InetSocketAddress> load() {
    try {
      for (String line : Files.readAllLines(file, StandardCharsets.ISO_8859_1)) {
        String[] words = line.trim().split("\\s+");
        if (words.length > 1 && words[0].equals("nameserver")) {
          InetAddress address = IpAddress.parse(words[1].replaceAll("%.*", "")).toInet();
          return Optional.of(new InetSocketAddress(address, PORT));
        }
      }
    } catch (IOException | IllegalArgumentException e) {
      // A host without a name server; the guest gets no answers.
    }
    return Optional.empty();
  }
}
