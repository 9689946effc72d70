package org.ascus.devices.block.format.qcow2;

import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.protocol.Keys;

/**
 * How an image is used while it is open: the options of a {@code qcow2} node that are not stored in the image.
 *
 * @param lazyRefcounts whether refcounts are written late, under the dirty bit
 * @param discarded whose clusters are discarded in the file too when they become free
 * @param l2CacheBytes L2 tables to keep in memory, in bytes
 * @param l2PieceBytes how much of an L2 table is read at once
 * @param refcountCacheBytes refcount blocks to keep in memory, in bytes
 */
record Qcow2Tuning(
    boolean lazyRefcounts, Set<Freed> discarded, long l2CacheBytes, int l2PieceBytes, long refcountCacheBytes) {
  /** Why a cluster became free. */
  enum Freed {
    /** The guest discarded it. */
    BY_REQUEST,

    /** A snapshot that had it was deleted. */
    BY_SNAPSHOT,

    /** The disk became smaller, or empty. */
    BY_RESIZE,

    /** Something else took its place. */
    OTHERWISE
  }

  private static final long L2_CACHE_BYTES = 32L << 20;
  private static final long REFCOUNT_CACHE_BYTES = 4L << 20;
  private static final int LEAST_REFCOUNT_BLOCKS = 4;
  private static final int LEAST_PIECE_BYTES = 512;
  private static final long LONGEST_INTERVAL = 0xffff_ffffL;
  private static final String ENCRYPTION = "encrypt.format";
  private static final String CHECKS = "overlap-check";
  private static final Set<String> CHECK_LEVELS = Set.of("none", "constant", "cached", "all");
  private static final Set<String> CHECKED =
      Set.of("main-header", "active-l1", "active-l2", "refcount-table", "refcount-block", "snapshot-table",
          "inactive-l1", "inactive-l2", "bitmap-directory");
  private static final Set<String> NAMES =
      Set.of("lazy-refcounts", "pass-discard-request", "pass-discard-snapshot", "pass-discard-other", CHECKS,
          "cache-size", "l2-cache-size", "l2-cache-entry-size", "refcount-cache-size", "cache-clean-interval",
          ENCRYPTION);

  /** What is so when nothing is said. */
  static Qcow2Tuning plain(Header header) {
    return new Qcow2Tuning(header.lazyRefcounts() && header.version >= 3, Set.of(Freed.BY_RESIZE, Freed.BY_SNAPSHOT),
        L2_CACHE_BYTES, Math.min(header.clusterSize(), TableCache.PIECE_BYTES), REFCOUNT_CACHE_BYTES);
  }

  /** Whether a {@code qcow2} node has an option of that name which this is about. */
  static boolean isNamed(String name) {
    return NAMES.contains(name) || name.startsWith(CHECKS + ".");
  }

  /**
   * What options mean for an image.
   *
   * @param options names and values; all must be ours
   * @param unmap whether what the guest discards is discarded in the file, unless an option says
   * @throws BlockException saying what is wrong with an option
   */
  static Qcow2Tuning read(Map<String, String> options, Header header, boolean unmap) throws BlockException {
    Keys keys = new Keys(new LinkedHashMap<>(options));
    Qcow2Tuning plain = plain(header);
    boolean lazy = keys.flag("lazy-refcounts", plain.lazyRefcounts());
    if (lazy && header.version < 3) {
      throw new BlockException("Lazy refcounts require a qcow2 image with at least qemu 1.1 compatibility level");
    }
    Set<Freed> discarded = EnumSet.of(Freed.BY_RESIZE);
    addIf(keys.flag("pass-discard-request", unmap), discarded, Freed.BY_REQUEST);
    addIf(keys.flag("pass-discard-snapshot", true), discarded, Freed.BY_SNAPSHOT);
    addIf(keys.flag("pass-discard-other", false), discarded, Freed.OTHERWISE);
    checkOverlaps(keys);
    checkInterval(keys);
    checkEncryption(keys, header);
    long piece = keys.size("l2-cache-entry-size", plain.l2PieceBytes());
    if (piece < LEAST_PIECE_BYTES || piece > header.clusterSize() || Long.bitCount(piece) != 1) {
      throw new BlockException("L2 cache entry size must be a power of two between " + LEAST_PIECE_BYTES
          + " and the cluster size (" + header.clusterSize() + ")");
    }
    Qcow2Tuning tuning = new Qcow2Tuning(lazy, discarded, plain.l2CacheBytes(), (int) piece,
        plain.refcountCacheBytes());
    tuning = tuning.withCaches(keys, header);
    keys.expectEmpty("qcow2");
    return tuning;
  }

  private static void addIf(boolean on, Set<Freed> all, Freed one) {
    if (on) {
      all.add(one);
    }
  }

  /** What one size for both caches leaves to the one that has none of its own. */
  private Qcow2Tuning withCaches(Keys keys, Header header) throws BlockException {
    long both = keys.size("cache-size", -1);
    long l2 = keys.size("l2-cache-size", -1);
    long refcounts = keys.size("refcount-cache-size", -1);
    if (both >= 0) {
      if (l2 >= 0 && refcounts >= 0) {
        throw new BlockException(
            "cache-size, l2-cache-size and refcount-cache-size may not be set at the same time");
      }
      if (l2 > both) {
        throw new BlockException("l2-cache-size may not exceed cache-size");
      }
      if (refcounts > both) {
        throw new BlockException("refcount-cache-size may not exceed cache-size");
      }
      if (l2 < 0 && refcounts < 0) {
        refcounts = Math.min(both, (long) LEAST_REFCOUNT_BLOCKS * header.clusterSize());
      }
      l2 = l2 < 0 ? both - refcounts : l2;
      refcounts = refcounts < 0 ? both - l2 : refcounts;
    }
    if (refcounts / header.clusterSize() > Integer.MAX_VALUE) {
      throw new BlockException("Refcount cache size too big");
    }
    return new Qcow2Tuning(lazyRefcounts, discarded, l2 < 0 ? l2CacheBytes : l2, l2PieceBytes,
        refcounts < 0 ? refcountCacheBytes : refcounts);
  }

  /** What is made sure of at each allocation is cheap, and stays whatever the options say. */
  private static void checkOverlaps(Keys keys) throws BlockException {
    Optional<String> level = keys.text(CHECKS);
    Keys parts = keys.within(CHECKS + ".");
    Optional<String> template = parts.text("template");
    if (level.isPresent() && template.isPresent() && !level.equals(template)) {
      throw new BlockException("Conflicting values for qcow2 options '" + CHECKS + "' ('" + level.get() + "') and '"
          + CHECKS + ".template' ('" + template.get() + "')");
    }
    Optional<String> said = level.or(() -> template);
    if (said.isPresent() && !CHECK_LEVELS.contains(said.get())) {
      throw new BlockException("Unsupported value '" + said.get() + "' for qcow2 option '" + CHECKS
          + "'. Allowed are any of the following: none, constant, cached, all");
    }
    for (String part : List.copyOf(parts.values().keySet())) {
      if (!CHECKED.contains(part)) {
        throw new BlockException("Block format 'qcow2' does not support the option '" + CHECKS + "." + part + "'");
      }
      parts.flag(part, true);
    }
  }

  /** An option cannot choose the encryption: the image has it. */
  private static void checkEncryption(Keys keys, Header header) throws BlockException {
    Optional<String> said = keys.oneOf(ENCRYPTION, "luks", "aes");
    String there = switch (header.crypt) {
      case Header.CRYPT_LUKS -> "luks";
      case Header.CRYPT_AES -> "aes";
      default -> "";
    };
    if (said.isPresent() && !said.get().equals(there)) {
      throw new BlockException(there.isEmpty()
          ? "No encryption in image header, but options specified format '" + said.get() + "'"
          : "Header reported '" + there + "' encryption format but options specify '" + said.get() + "'");
    }
  }

  /** Tables leave the cache when others need the room, so that a time after which they do changes nothing. */
  private static void checkInterval(Keys keys) throws BlockException {
    Optional<String> seconds = keys.text("cache-clean-interval");
    if (seconds.isEmpty()) {
      return;
    }
    long value;
    try {
      value = Long.parseLong(seconds.get());
    } catch (NumberFormatException e) {
      throw new BlockException("Parameter 'cache-clean-interval' expects a number");
    }
    if (value < 0 || value > LONGEST_INTERVAL) {
      throw new BlockException("Cache clean interval too big");
    }
  }
}
