package org.ascus.isa.riscv;

/**
 * How guest code is run ({@code -accel}).
 *
 * @param tier what hot code becomes
 * @param threshold executions of a block, loop head or call target after which its region is compiled; 0 is as many as
 *     suit what it becomes
 * @param samples slices of the budget, each of 50,000 instructions at most, that must have ended in a region of classes
 *     before its hottest loop gets the best code that HotSpot can make
 * @param background whether compilation runs beside the guest; if not the guest waits, for tests that need compiled
 *     code
 */
public record Acceleration(Tier tier, int threshold, int samples, boolean background) {
  /** What hot code becomes. */
  public enum Tier {
    /** Nothing: it is interpreted. */
    INTERPRETER,
    /** Classes that HotSpot compiles. */
    BYTECODE,
    /** Machine code of the host; classes for the rest. */
    HOST_CODE,
    /** Truffle nodes that Graal compiles. */
    TRUFFLE,
    /**
     * Machine code of the host or classes first; where most of the time is spent, what HotSpot's second compiler makes
     * of classes, or Truffle nodes if it cannot be told to.
     */
    TIERED
  }

  private static final int AUTOMATIC = 0;
  private static final int SAMPLES = 400;
  private static final boolean GRAALVM = System.getProperty("java.vendor.version", "").contains("GraalVM");

  /** With as many samples as have proved best. */
  public Acceleration(Tier tier, int threshold, boolean background) {
    this(tier, threshold, SAMPLES, background);
  }

  /** {@code -accel truffle}. */
  public static Acceleration truffle() {
    // A GraalVM's compiler is machine code from the start and needs no tier below it.
    return GRAALVM ? new Acceleration(Tier.TRUFFLE, 100_000, true) : new Acceleration(Tier.TIERED, AUTOMATIC, true);
  }

  /** {@code -accel interpreter}. */
  public static Acceleration interpreter() {
    return new Acceleration(Tier.INTERPRETER, Integer.MAX_VALUE, true);
  }

  /**
   * {@link #threshold}.
   *
   * @param hostCode whether machine code is made, which takes a hundredth of the time that classes take
   */
  int threshold(boolean hostCode) {
    return threshold != AUTOMATIC ? threshold : hostCode ? 50 : 2_500;
  }

  /**
   * Whether there is a compiler for Truffle; without one nodes would be interpreted, slower than by tier 0. To ask
   * Truffle's runtime itself would take a tenth of a second. A JDK that is no GraalVM has an empty module of that name,
   * and without JVMCI nobody can install what it compiles.
   */
  public static boolean hasCompiler() {
    ModuleLayer modules = ModuleLayer.boot();
    return modules.findModule("jdk.internal.vm.ci").isPresent()
        && modules.findModule("jdk.graal.compiler").filter(m -> !m.getPackages().isEmpty()).isPresent();
  }
}
