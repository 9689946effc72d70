package org.ascus.polyglot;

import java.nio.file.Path;
import java.util.Optional;
import org.ascus.devices.fs.FolderOptions;
import org.ascus.devices.net.NetFilter;

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
   * A filter on the cable of a network.
   *
   * @param netdev id of the network
   * @param direction which frames
   * @param on whether it does anything
   */
  record Filter(String option, String id, String netdev, NetFilter.Direction direction, boolean on, FilterKind kind)
      implements HostObject {}

  /** What a filter does with frames. Chardevs are named by their ids. */
  sealed interface FilterKind {
    /**
     * Writes them to a file, in libpcap's format.
     *
     * @param most bytes that are kept of a frame
     */
    record Dump(Path file, int most) implements FilterKind {}

    /** Sends copies to a chardev. */
    record Mirror(String out, boolean virtioHeaders) implements FilterKind {}

    /** Sends them to a chardev instead of on, and lets what comes from another go on. */
    record Redirector(Optional<String> in, Optional<String> out, boolean virtioHeaders) implements FilterKind {}

    /**
     * Keeps them for a while.
     *
     * @param intervalMicros microseconds between releases
     */
    record Buffer(long intervalMicros) implements FilterKind {}
  }

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
