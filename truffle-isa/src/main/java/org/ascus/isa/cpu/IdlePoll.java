package org.ascus.isa.cpu;

/**
 * Finds a CPU that waits in a loop for something else than interrupts, which never waits since one is pending that it
 * does not take: firmware has harts wait to be started like that. The longer it does the longer it pauses, so that it
 * does not take a host processor from CPUs that have work. Who has it go on sends it an interrupt, as a rule.
 */
final class IdlePoll {
  private static final long SHORTEST = 50_000;
  private static final long LONGEST = 200_000_000;

  private long pending;
  private int wakeUps;
  private long nanos;

  /** The CPU has really waited, or taken an interrupt. */
  void end() {
    pending = 0;
  }

  /**
   * The CPU was to wait, but goes on.
   *
   * @param now what is pending
   * @param calls changes when anything becomes pending
   * @return nanoseconds to pause; 0 unless nothing has changed since the last time
   */
  long pause(long now, int calls) {
    boolean same = now == pending && calls == wakeUps;
    pending = now;
    wakeUps = calls;
    nanos = same ? Math.clamp(2 * nanos, SHORTEST, LONGEST) : 0;
    return nanos;
  }
}
