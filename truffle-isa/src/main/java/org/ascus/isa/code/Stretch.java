package org.ascus.isa.code;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;
import org.ascus.isa.code.Effect.Access;

/**
 * Instructions {@code from} to {@code until - 1} of a block that are emitted without a way out in between: what may be
 * missing for any of them is checked before the first, and if it is missing tier 0 does them all. Accesses that are
 * near each other share a check; most are fields of an object, or registers that a function saves.
 */
public final class Stretch {
  /** Tier 0 does no more at once. */
  private static final int MAX_INSTRUCTIONS = 32;

  /** In bytes: the further apart, the more often they are on two pages. */
  private static final int MAX_SPAN = 256;

  /** Accesses from one base register, which have the same page or all fail. */
  public static final class Group {
    private final int base;
    private final List<Access> accesses = new ArrayList<>();

    private Group(Access first) {
      base = first.base();
      accesses.add(first);
    }

    public int base() {
      return base;
    }

    /** Displacement of the first byte. */
    public int first() {
      return accesses.stream().mapToInt(Access::displacement).min().orElseThrow();
    }

    private int last() {
      return accesses.stream().mapToInt(Access::displacement).max().orElseThrow();
    }

    private Access widest() {
      return accesses.stream().max((a, b) -> a.widthLog2() - b.widthLog2()).orElseThrow();
    }

    /** Each access is aligned if {@link #checked} is aligned to this. */
    public int widthLog2() {
      return widest().widthLog2();
    }

    /** Displacement of an address on the page of the last byte, aligned if and only if the widest access is. */
    public int checked() {
      return last() - Math.floorMod(last() - widest().displacement(), 1 << widthLog2());
    }

    public boolean loads() {
      return accesses.stream().anyMatch(a -> !a.store());
    }

    public boolean stores() {
      return accesses.stream().anyMatch(Access::store);
    }

    private boolean add(Access access) {
      accesses.add(access);
      Access widest = widest();
      boolean fits =
          access.base() == base
              && last() - first() <= MAX_SPAN
              && accesses.stream()
                  .allMatch(a -> (a.displacement() - widest.displacement() & (1 << a.widthLog2()) - 1) == 0);
      if (!fits) {
        accesses.removeLast();
      }
      return fits;
    }
  }

  private final int from;
  private int until;
  private long reads;
  private long writes;
  private final List<Effect> effectOf = new ArrayList<>();
  private final List<Group> groups = new ArrayList<>();
  private final List<Optional<Group>> groupOf = new ArrayList<>();

  /**
   * The stretch that begins with instruction {@code from}, which needs a check.
   *
   * @param end it ends before this
   * @param maxGroups it has no more groups
   */
  Stretch(int from, int end, int maxGroups, IntFunction<Effect> effects) {
    this.from = from;
    this.until = from;
    long written = 0;
    for (int i = from; i < end && i < from + MAX_INSTRUCTIONS; i++) {
      Effect effect = effects.apply(i);
      Optional<Access> access = effect.access();
      boolean fits = effect.inline() && (i == from || !effect.alone());
      if (!fits || access.isPresent() && (written >>> access.get().base() & 1) != 0) {
        break;
      }
      Optional<Group> group = access.flatMap(a -> group(a, maxGroups));
      if (access.isPresent() && group.isEmpty()) {
        break;
      }
      effectOf.add(effect);
      groupOf.add(group);
      written |= effect.writes() & ~1L;
      if (access.isPresent() || effect.guarded()) {
        until = i + 1;
      }
      if (effect.alone()) {
        break;
      }
    }
    for (int i = from; i < until; i++) {
      reads |= effect(i).reads();
      writes |= effect(i).writes();
    }
  }

  /** The group that {@code access} belongs to; empty if it is a new one and there are {@code max} already. */
  private Optional<Group> group(Access access, int max) {
    for (Group group : groups) {
      if (group.add(access)) {
        return Optional.of(group);
      }
    }
    if (groups.size() == max) {
      return Optional.empty();
    }
    groups.add(new Group(access));
    return Optional.of(groups.getLast());
  }

  public int from() {
    return from;
  }

  public int until() {
    return until;
  }

  /** Slots that are read, as a bit set. */
  public long reads() {
    return reads;
  }

  /** Slots that are written, as a bit set. */
  public long writes() {
    return writes;
  }

  public List<Group> groups() {
    return groups;
  }

  /** The effect of instruction {@code index}. */
  public Effect effect(int index) {
    return effectOf.get(index - from);
  }

  /** The group of the access of instruction {@code index}. */
  public Group group(int index) {
    return groupOf.get(index - from).orElseThrow();
  }
}
