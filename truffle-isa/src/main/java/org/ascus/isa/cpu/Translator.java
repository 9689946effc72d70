package org.ascus.isa.cpu;

/** Turns hot blocks into compiled code, in the background. */
public interface Translator {
  /** For {@code -accel interpreter}. */
  Translator NONE =
      new Translator() {
        @Override
        public void hot(VCpu cpu, Block block, long pc) {}

        @Override
        public String describe() {
          return "no translation (interpreter)\n";
        }
      };

  /** Whether it takes any block that is executed often; if not, only targets of back edges and calls. */
  default boolean takesAll() {
    return false;
  }

  /** {@code block}, at virtual address {@code pc} on {@code cpu}, has reached its threshold, once. Returns quickly. */
  void hot(VCpu cpu, Block block, long pc);

  /**
   * A slice of the budget of {@code cpu} ended in {@code region}, in front of {@code block}, which is at the CPU's pc:
   * what is seen often takes a lot of the time. Returns quickly.
   */
  default void sampled(VCpu cpu, Block block, CodeSpace.RegionHandle region) {}

  /** Called by {@code cpu} now and then: the time to look after what was compiled. Returns quickly. */
  default void look(VCpu cpu) {}

  /** Called on the thread that is about to run guest code, before any of it. */
  default void enter() {}

  /** Undoes {@link #enter}. */
  default void leave() {}

  String describe();
}
