package org.ascus.machine.run;

import org.ascus.machine.cpu.Cpu;

/**
 * Runs a machine by instruction count, on one thread: CPUs take turns of {@value #QUANTUM} instructions, a slice never
 * runs past the next timer, and when all CPUs wait for interrupts time jumps to the next timer.
 */
final class InstructionTime {
  private static final long QUANTUM = 10_000;

  private final Machine machine;
  private final int shift;
  private long elapsed;
  private Cpu current;
  private long currentBase;

  InstructionTime(Machine machine, int shift) {
    this.machine = machine;
    this.shift = shift;
    machine.clock().useInstructionTime(this::nanos);
  }

  private long nanos() {
    Cpu cpu = current;
    long running = cpu == null ? 0 : cpu.instructionCount() - currentBase;
    return elapsed + (running << shift);
  }

  /** Sets guest time, for a loaded snapshot. */
  void setNanos(long nanos) {
    elapsed = nanos;
  }

  long run(long instructions) {
    long done = 0;
    machine.cpus().forEach(Cpu::clearExitRequest);
    while (done < instructions && machine.state() != RunState.ENDED) {
      boolean progress = false;
      for (Cpu cpu : machine.cpus()) {
        machine.clock().runDue();
        long deadline = machine.clock().nextDeadline();
        long untilTimer =
            deadline == Long.MAX_VALUE ? Long.MAX_VALUE : Math.max(1, ((deadline - elapsed - 1) >> shift) + 1);
        long quantum = machine.cpus().size() > 1 ? QUANTUM : Long.MAX_VALUE;
        long slice = Math.min(Math.min(instructions - done, untilTimer), quantum);
        if (slice <= 0) {
          break;
        }
        currentBase = cpu.instructionCount();
        current = cpu;
        Cpu.Stop stop = cpu.run(slice);
        current = null;
        long executed = cpu.instructionCount() - currentBase;
        elapsed += executed << shift;
        done += executed;
        progress |= executed > 0;
        if (stop == Cpu.Stop.REQUESTED || stop == Cpu.Stop.BREAKPOINT) {
          return done;
        }
      }
      if (!progress && done < instructions) {
        machine.clock().runDue();
        long deadline = machine.clock().nextDeadline();
        if (deadline == Long.MAX_VALUE) {
          return done;
        }
        elapsed = Math.max(elapsed, deadline);
      }
    }
    return done;
  }
}
