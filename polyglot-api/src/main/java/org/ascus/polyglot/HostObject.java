package org.ascus.polyglot;

import java.nio.file.Path;
import java.util.Optional;
import org.ascus.devices.fs.FolderOptions;
import org.ascus.devices.net.NetTap;

/** What the host lends to a machine under a name, {@code -object} and {@code -fsdev}. */
public sealed interface HostObject {
  /** What the user wrote; starts error messages. */
  String option();

  /** The name that devices and the machine find it by. */
  String id();

  /**
   * A source of random bytes.
   *
   * @param file where they come from; empty for the host's generator
   */
  record Rng(String option, String id, Optional<Path> file) implements HostObject {}

  /**
   * A file of what goes over a network, in libpcap's format.
   *
   * @param netdev id of the network
   * @param most bytes that are kept of a frame
   * @param direction which frames
   */
  record Dump(String option, String id, String netdev, Path file, int most, NetTap.Direction direction)
      implements HostObject {}

  /** A folder, {@code -fsdev}, whose name may be that of an {@code -object}, too. */
  record Folder(String option, String id, FolderOptions folder) implements HostObject {}

  /**
   * Threads on which devices wait for their disks.
   *
   * @param threads how many at most
   */
  record Iothread(String option, String id, int threads) implements HostObject {}

  /**
   * RAM.
   *
   * @param size bytes
   */
  record Ram(String option, String id, long size) implements HostObject {}
}
