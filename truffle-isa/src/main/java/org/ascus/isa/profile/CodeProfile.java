package org.ascus.isa.profile;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;

/**
 * Which guest code became hot in earlier runs, told by what it is and not by where it lies, so that the next run
 * compiles it when it has been executed a few times. What it says wrongly costs time and changes nothing else.
 *
 * <p>The file is {@link #MAGIC} and the keys of blocks, 64 bits each, little-endian; those of the last run come first.
 * It is replaced in one step, so that several processes may use it at once: the last of them to end wins.
 */
public final class CodeProfile {
  private static final long MAGIC = 0x31_66_6f_72_70_63_73_61L;

  /** What the file holds at most: some large guests' hot code. */
  private static final int MAX_KEYS = 1 << 16;

  /** Part of the usual heat that suffices for known code; with less, the blocks around it had not been executed. */
  private static final int KNOWN_PART = 12;

  private static final int LEAST_THRESHOLD = 5;

  private final Optional<Path> file;
  private final Set<Long> known;
  private final Set<Long> hot = Collections.synchronizedSet(new LinkedHashSet<>());

  private CodeProfile(Optional<Path> file, Set<Long> known) {
    this.file = file;
    this.known = known;
  }

  /** One that knows nothing and is not kept. */
  public static CodeProfile none() {
    return new CodeProfile(Optional.empty(), Set.of());
  }

  /** The one in {@code file}; empty if it cannot be read or is something else. */
  public static CodeProfile load(Path file) {
    Set<Long> known = new LinkedHashSet<>();
    try {
      if (Files.size(file) <= 8L * (MAX_KEYS + 1)) {
        ByteBuffer in = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        if (in.remaining() >= 8 && in.getLong() == MAGIC) {
          while (in.remaining() >= 8) {
            known.add(in.getLong());
          }
        }
      }
    } catch (IOException e) {
      // There is none yet.
    }
    return new CodeProfile(Optional.of(file), known);
  }

  /** Writes what was learnt back to the file, if it has one. */
  public void save() throws IOException {
    if (file.isEmpty() || hot.isEmpty()) {
      return;
    }
    Set<Long> all;
    synchronized (hot) {
      all = new LinkedHashSet<>(hot);
    }
    all.addAll(known);
    int count = Math.min(all.size(), MAX_KEYS);
    ByteBuffer out = ByteBuffer.allocate(8 * (count + 1)).order(ByteOrder.LITTLE_ENDIAN);
    out.putLong(MAGIC);
    all.stream().limit(count).forEach(out::putLong);
    Path target = file.get().toAbsolutePath();
    Files.createDirectories(target.getParent());
    Path temporary = Files.createTempFile(target.getParent(), target.getFileName().toString(), ".new");
    try {
      Files.write(temporary, out.array());
      Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  /** Heat at which the block of {@code code} at {@code physical} is compiled, if {@code usual} is that of new code. */
  public int threshold(long physical, long[] code, int usual) {
    boolean isKnown = !known.isEmpty() && known.contains(key(physical, code));
    return isKnown ? Math.min(usual, Math.max(LEAST_THRESHOLD, usual / KNOWN_PART)) : usual;
  }

  /** The block of {@code code} at {@code physical} has reached its threshold. */
  public void hot(long physical, long[] code) {
    if (file.isPresent()) {
      hot.add(key(physical, code));
    }
  }

  /** Linkers and loaders move code by pages. */
  private static long key(long physical, long[] code) {
    long hash = (physical & 0xfff) * 0x9e3779b97f4a7c15L;
    for (long w : code) {
      hash = Long.rotateLeft((hash ^ w) * 0xbf58476d1ce4e5b9L, 31);
    }
    return hash ^ hash >>> 29;
  }
}
