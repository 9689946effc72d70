package org.ascus.tests.tiers;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.ascus.isa.riscv.Acceleration;

/**
 * Runs the same guest in the interpreter and in another tier, and compares the two every so many instructions. When
 * they differ, the place is narrowed down by running both again from the start, in smaller and smaller steps.
 */
final class TierComparison {
  /** Makes the guest. */
  interface Maker {
    BootMachine make(Acceleration acceleration) throws Exception;
  }

  /** With no more than this the budget goes to the interpreter in every tier (see VCpu.MAX_PATH). */
  private static final int INTERPRETED = 4096;

  private static final int PARTS = 16;

  /** Below this a step is not parted any more: what compiled code does in it is bisected. */
  private static final int SMALL = 20_000;

  /** Instructions shown before and behind the place. */
  private static final int SHOWN = 64;

  private final Maker maker;
  private final long step;
  private final List<GuestState> expected = new ArrayList<>();

  /**
   * @param instructions at most so many; fewer if the guest ends
   * @param step instructions between two comparisons
   */
  TierComparison(Maker maker, long instructions, long step) throws Exception {
    this.maker = maker;
    this.step = step;
    try (BootMachine machine = maker.make(Acceleration.interpreter())) {
      boolean ended = false;
      for (long at = 0; at < instructions && !ended; at += step) {
        ended = machine.run(step);
        expected.add(machine.state());
      }
    }
  }

  /**
   * Compares at most the first {@code instructions}.
   *
   * @return what {@code info jit} says at the end
   * @throws AssertionError that says what differs first, and where
   */
  String check(Acceleration acceleration, long instructions) throws Exception {
    try (BootMachine machine = maker.make(acceleration)) {
      for (int i = 0; i < expected.size() && i < instructions / step; i++) {
        machine.run(step);
        GuestState state = machine.state();
        if (!state.same(expected.get(i))) {
          throw new AssertionError(
              "%s differs from the interpreter between instructions %d and %d%n%s%s%s".formatted(
                  acceleration, i * step, expected.get(i).instructions(), state.differences(expected.get(i)),
                  place(acceleration, i), machine.translation()));
        }
      }
      return machine.translation();
    }
  }

  /** Where in step {@code number} the tiers begin to differ. */
  private String place(Acceleration acceleration, int number) throws Exception {
    List<Long> before = new ArrayList<>(Collections.nCopies(number, step));
    long length = step;
    while (length > SMALL) {
      Optional<List<Long>> shorter = part(acceleration, before, length);
      if (shorter.isEmpty()) {
        return "They do not differ when that is run in " + PARTS + " parts, after steps of " + text(before) + "\n";
      }
      before = new ArrayList<>(shorter.get());
      length = before.removeLast();
    }
    return bisect(acceleration, before, length);
  }

  /** The steps up to the first part of the last {@code length} instructions after which the states differ. */
  private Optional<List<Long>> part(Acceleration acceleration, List<Long> before, long length) throws Exception {
    List<Long> done = new ArrayList<>(before);
    try (BootMachine interpreted = after(Acceleration.interpreter(), before);
        BootMachine compiled = after(acceleration, before)) {
      for (long left = length; left > 0;) {
        long part = Math.min(left, (length + PARTS - 1) / PARTS);
        interpreted.run(part);
        compiled.run(part);
        done.add(part);
        left -= part;
        if (!compiled.state().same(interpreted.state())) {
          return Optional.of(done);
        }
      }
    }
    return Optional.empty();
  }

  private String bisect(Acceleration acceleration, List<Long> before, long length) throws Exception {
    long same = Math.min(INTERPRETED, length - 1);
    long different = length;
    String differences = "";
    while (different - same > 1 || differences.isEmpty()) {
      long middle = differences.isEmpty() ? length : (same + different) / 2;
      try (BootMachine interpreted = after(Acceleration.interpreter(), before);
          BootMachine compiled = after(acceleration, before)) {
        interpreted.run(middle);
        compiled.run(middle);
        GuestState is = compiled.state();
        GuestState should = interpreted.state();
        if (!is.same(should)) {
          different = middle;
          differences = is.differences(should);
        } else if (differences.isEmpty()) {
          return "They do not differ when run again, after steps of " + text(before) + "\n";
        } else {
          same = middle;
        }
      }
    }
    long start = before.stream().mapToLong(Long::longValue).sum();
    long place = Math.max(0, different - INTERPRETED);
    return "They begin to differ when compiled code goes on at instruction " + (start + place) + ", with steps of "
        + text(before) + " and " + different + ":\n" + differences + "What the interpreter executes from there on:\n"
        + trace(before, place);
  }

  private String trace(List<Long> before, long place) throws Exception {
    Deque<String> lines = new ArrayDeque<>();
    try (BootMachine machine = after(Acceleration.interpreter(), before)) {
      long first = Math.max(0, place - SHOWN);
      if (first > 0) {
        machine.run(first);
      }
      for (long i = first; i < place + SHOWN; i++) {
        lines.add((i == place ? "-> " : "   ") + machine.next());
        machine.run(1);
      }
    }
    return String.join("", lines);
  }

  private BootMachine after(Acceleration acceleration, List<Long> before) throws Exception {
    BootMachine machine = maker.make(acceleration);
    before.forEach(machine::run);
    return machine;
  }

  /** Equal steps are counted: {@code 27 x 5000000, 312500}. */
  private static String text(List<Long> steps) {
    StringBuilder out = new StringBuilder();
    int from = 0;
    for (int i = 1; i <= steps.size(); i++) {
      if (i == steps.size() || !steps.get(i).equals(steps.get(from))) {
        out.append(out.isEmpty() ? "" : ", ").append(i - from).append(" x ").append(steps.get(from));
        from = i;
      }
    }
    return out.toString();
  }
}
