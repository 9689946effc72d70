package org.ascus.isa.riscv;

import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.ascus.isa.cpu.Block;
import org.ascus.isa.cpu.Translator;
import org.ascus.isa.cpu.VCpu;

/**
 * A tier that is made when something asks for it first, on a thread of its own: Truffle's engine takes a tenth of a
 * second and many megabytes that most short runs and boots never need.
 *
 * <p>Until it is there, a block that asks is sent away to collect some more samples. A thread that runs guest code
 * enters the tier when it asks for something; one that never asked may still run what another CPU's requests made.
 */
final class LateTranslator implements Translator {
  /** Samples after which a block asks again: a fraction of a second. */
  private static final int AGAIN = 100;

  private final Supplier<Translator> maker;
  private final boolean background;
  private final AtomicBoolean asked = new AtomicBoolean();
  private final Set<Thread> inside = new HashSet<>();
  private volatile Translator made;

  /**
   * @param maker called once at most
   * @param background whether guest code goes on meanwhile
   */
  LateTranslator(Supplier<Translator> maker, boolean background) {
    this.maker = maker;
    this.background = background;
  }

  @Override
  public void hot(VCpu cpu, Block block, long pc) {
    if (made == null) {
      make();
    }
    Translator tier = made;
    if (tier == null) {
      block.samples -= AGAIN;
      return;
    }
    enter(tier);
    tier.hot(cpu, block, pc);
  }

  private void make() {
    if (!asked.getAndSet(true)) {
      if (background) {
        Thread.ofPlatform().daemon().name("ascus-late-tier").start(() -> made = maker.get());
      } else {
        made = maker.get();
      }
    }
  }

  private void enter(Translator tier) {
    synchronized (inside) {
      if (!inside.add(Thread.currentThread())) {
        return;
      }
    }
    tier.enter();
  }

  @Override
  public void enter() {
    Translator tier = made;
    if (tier != null) {
      enter(tier);
    }
  }

  @Override
  public void leave() {
    synchronized (inside) {
      if (!inside.remove(Thread.currentThread())) {
        return;
      }
    }
    made.leave();
  }

  @Override
  public String describe() {
    Translator tier = made;
    return tier == null ? "truffle: not needed yet\n" : tier.describe();
  }
}
