package org.ascus.isa.riscv;

/**
 * How guest code is run ({@code -accel}).
 *
 * @param translate whether hot regions are compiled by Graal; if not everything is interpreted
 * @param threshold executions of a loop head or call target after which its region is compiled
 * @param background whether compilation runs beside the guest; if not the guest waits, for tests that need compiled
 *     code
 */
public record Acceleration(boolean translate, int threshold, boolean background) {
  /** {@code -accel truffle}. */
  public static Acceleration truffle() {
    return new Acceleration(true, 100_000, true);
  }

  /** {@code -accel interpreter}. */
  public static Acceleration interpreter() {
    return new Acceleration(false, Integer.MAX_VALUE, true);
  }
}
