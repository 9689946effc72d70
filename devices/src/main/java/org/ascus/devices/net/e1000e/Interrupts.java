package org.ascus.devices.net.e1000e;

import java.util.function.IntConsumer;
import org.ascus.machine.clock.VirtualClock;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;

/**
 * Causes, masks and throttling (sections 7.4 and 10.2.4). ICR: bit 0 a descriptor was written back, 1 the transmit
 * queue is empty, 2 link changed, 4 few receive descriptors, 6 overrun, 7 frames were received, 9 MDIC is ready, 16
 * small frame, 17 acknowledgement, 18 management; with MSI-X 20 to 24 the two receive and transmit queues and others;
 * 31 something asserts. What is throttled, by ITR or a vector's EITR in units of 256 ns, waits for a timer.
 *
 * <p>The delays of RDTR, RADV, TIDV and TADV are none: throttling alone spaces interrupts.
 */
final class Interrupts {
  static final int TX_DONE = 1;
  static final int TX_EMPTY = 1 << 1;
  static final int LINK = 1 << 2;
  static final int RX_FEW = 1 << 4;
  static final int RX = 1 << 7;
  static final int MDIO = 1 << 9;
  static final int FIRST_QUEUE_BIT = 20;
  static final int RX_QUEUE = 1 << FIRST_QUEUE_BIT;
  static final int TX_QUEUE = 1 << 22;

  /** Message vectors. */
  static final int VECTORS = 5;

  private static final int OTHER_CAUSES = LINK | 1 << 6 | MDIO | 1 << 16 | 1 << 17 | 1 << 18;
  private static final int OTHER = 1 << 24;
  private static final int ALL_QUEUES = 0x1f << FIRST_QUEUE_BIT;
  private static final int ASSERTED = 1 << 31;
  private static final int UNIT_NANOS = 256;

  /** Drivers write such to switch throttling off. */
  private static final int LEAST_UNITS = 4;

  /** Where interrupts go. */
  interface Output {
    /** Whether the driver chose MSI-X. */
    boolean usesVectors();

    /** Whether the driver chose MSI. */
    boolean usesMessage();

    void line(boolean level);

    void message();

    void vector(int number);
  }

  private final RegisterFile registers;
  private final VirtualClock clock;
  private final Output output;
  private final VirtualClock.Timer timer;
  private final long[] notBefore = new long[VECTORS];
  private int causes;
  private int mask;
  private int signalled;
  private long wake;

  /**
   * @param confine gets what the timer runs, to be run with the card's lock held
   */
  Interrupts(
      RegisterFile registers,
      VirtualClock clock,
      Output output,
      java.util.function.UnaryOperator<Runnable> confine) {
    this.registers = registers;
    this.clock = clock;
    this.output = output;
    timer = clock.newTimer(confine.apply(this::update));
  }

  void reset() {
    causes = 0;
    mask = 0;
    signalled = 0;
    java.util.Arrays.fill(notBefore, 0);
    timer.cancel();
  }

  /** Something happened. */
  void cause(int bits) {
    int more = (bits & OTHER_CAUSES) != 0 ? OTHER : 0;
    causes |= bits & ~ALL_QUEUES & ~ASSERTED | (output.usesVectors() ? bits & ALL_QUEUES | more : 0);
    update();
  }

  private int pending() {
    return causes & mask;
  }

  /** Reads the causes, which clears them if the card asserts an interrupt for any, or if all are masked. */
  int takeCauses() {
    int result = showCauses();
    if (result < 0 || mask == 0) {
      causes = 0;
      autoMask(result);
    }
    update();
    return result;
  }

  int showCauses() {
    return causes | (pending() != 0 ? ASSERTED : 0);
  }

  private void autoMask(int shown) {
    if (shown < 0 && registers.has(Register.CTRL_EXT, Register.CTRL_EXT_IAME)) {
      mask &= ~registers.get(Register.IAM);
    }
  }

  void clearCauses(int bits) {
    autoMask(showCauses());
    causes &= ~bits;
    update();
  }

  int mask() {
    return mask;
  }

  void setMask(int bits) {
    mask |= bits;
    update();
  }

  void clearMask(int bits) {
    mask &= ~bits;
    update();
  }

  /** Drives the line or sends messages as causes, mask and time have it. */
  void update() {
    signalled &= pending();
    wake = Long.MAX_VALUE;
    if (output.usesVectors()) {
      output.line(false);
      for (int bit = FIRST_QUEUE_BIT; bit < FIRST_QUEUE_BIT + VECTORS; bit++) {
        signalQueue(bit);
      }
    } else if (output.usesMessage()) {
      output.line(false);
      signalAll(i -> output.message());
    } else {
      signalAll(i -> {});
      output.line(signalled != 0);
    }
    if (wake != Long.MAX_VALUE) {
      timer.arm(wake);
    }
  }

  private void signalAll(IntConsumer send) {
    int news = pending() & ~signalled;
    if (news != 0 && (signalled != 0 && !output.usesMessage() || passes(0, Register.ITR))) {
      signalled |= news;
      send.accept(0);
    }
  }

  private void signalQueue(int bit) {
    int cause = 1 << bit;
    int entry = registers.get(Register.IVAR) >>> 4 * (bit - FIRST_QUEUE_BIT) & 15;
    int vector = entry & 7;
    boolean valid = (entry & 8) != 0 && vector < VECTORS;
    if ((pending() & cause & ~signalled) == 0 || !valid || !passes(vector, Register.EITR + 4 * vector)) {
      return;
    }
    signalled |= cause;
    output.vector(vector);
    causes &= ~(registers.get(Register.EIAC) & cause);
    if (registers.has(Register.CTRL_EXT, Register.CTRL_EXT_EIAME)) {
      mask &= ~(registers.get(Register.IAM) & cause);
    }
    signalled &= pending();
  }

  /** Whether an interrupt may go now; if not, the timer will try again. */
  private boolean passes(int vector, int throttle) {
    long now = clock.nanos();
    if (now < notBefore[vector]) {
      wake = Math.min(wake, notBefore[vector]);
      return false;
    }
    int units = registers.get(throttle);
    notBefore[vector] = units < LEAST_UNITS ? 0 : now + (long) units * UNIT_NANOS;
    return true;
  }

  void save(StateWriter out) {
    out.putInts("interrupts", causes, mask, signalled);
    out.putLongs("throttle", notBefore);
  }

  /** Reads what {@link #save} wrote; {@link #update} must follow. */
  void load(StateReader in) throws StateException {
    long[] saved = in.getLongs("interrupts", 3);
    causes = (int) saved[0];
    mask = (int) saved[1];
    signalled = (int) saved[2];
    long[] times = in.getLongs("throttle", VECTORS);
    long latest = clock.nanos() + 0xffffL * UNIT_NANOS;
    for (int i = 0; i < VECTORS; i++) {
      notBefore[i] = Math.min(times[i], latest);
    }
  }
}
