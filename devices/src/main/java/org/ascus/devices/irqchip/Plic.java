package org.ascus.devices.irqchip;

import java.util.Arrays;
import org.ascus.machine.bus.BusDevice;
import org.ascus.machine.bus.MmioRegion;
import org.ascus.machine.device.Device;
import org.ascus.machine.irq.IrqLine;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;

/**
 * Platform-level interrupt controller (RISC-V PLIC specification 1.0, as SiFive laid it out), for level-triggered
 * sources.
 *
 * <pre>
 * 0x000000 + 4s      priority of source s, 0 to 7
 * 0x001000 + 4w      pending bits
 * 0x002000 + 80h c   enable bits of context c
 * 0x200000 + 1000h c threshold of context c; + 4 claim and complete
 * </pre>
 */
public final class Plic extends Device implements BusDevice {
  /** Bytes of the register window on the virt board. */
  public static final long SIZE = 0x600000;

  private static final int MAX_PRIORITY = 7;

  private final IrqLine[] contexts;
  private final int words;
  private final int sources;
  private final int[] priority;
  private final int[] level;
  private final int[] pending;
  private final int[] claimed;
  private final int[][] enable;
  private final int[] threshold;
  private final MmioRegion region;

  /**
   * @param sources highest source number; source 0 does not exist
   * @param contexts outputs, in the order of the register map
   */
  public Plic(String id, int sources, IrqLine[] contexts) {
    super("riscv.sifive.plic", id);
    this.sources = sources;
    this.contexts = contexts.clone();
    this.words = sources / 32 + 1;
    this.priority = new int[sources + 1];
    this.level = new int[words];
    this.pending = new int[words];
    this.claimed = new int[words];
    this.enable = new int[contexts.length][words];
    this.threshold = new int[contexts.length];
    this.region = new MmioRegion("riscv.sifive.plic", SIZE, this, lock());
  }

  public MmioRegion region() {
    return region;
  }

  /** The wire of source {@code number}, 1 to the number of sources. */
  public IrqLine input(int number) {
    if (number < 1 || number > sources) {
      throw new IllegalArgumentException("PLIC source " + number);
    }
    return high -> {
      lock().lock();
      try {
        int bit = 1 << number;
        int w = number / 32;
        if (high) {
          level[w] |= bit;
          if ((claimed[w] & bit) == 0) {
            pending[w] |= bit;
          }
        } else {
          level[w] &= ~bit;
          pending[w] &= ~bit;
        }
        update();
      } finally {
        lock().unlock();
      }
    };
  }

  private int best(int context) {
    int best = 0;
    int bestPriority = threshold[context];
    for (int w = 0; w < words; w++) {
      int candidates = pending[w] & enable[context][w];
      while (candidates != 0) {
        int source = w * 32 + Integer.numberOfTrailingZeros(candidates);
        candidates &= candidates - 1;
        if (source <= sources && priority[source] > bestPriority) {
          bestPriority = priority[source];
          best = source;
        }
      }
    }
    return best;
  }

  private void update() {
    for (int c = 0; c < contexts.length; c++) {
      contexts[c].set(best(c) != 0);
    }
  }

  @Override
  public AccessSizes accessSizes() {
    return AccessSizes.WORD;
  }

  @Override
  public long read(long at, int width) {
    int word = (int) (at & 0x7f) / 4;
    if (at < 0x1000) {
      int source = (int) at / 4;
      return source <= sources ? priority[source] : 0;
    }
    if (at < 0x1080) {
      return word < words ? pending[word] & 0xffffffffL : 0;
    }
    if (at >= 0x2000 && at < 0x2000 + 0x80L * contexts.length) {
      return word < words ? enable[(int) (at - 0x2000) / 0x80][word] & 0xffffffffL : 0;
    }
    int context = (int) (at - 0x200000) / 0x1000;
    if (at < 0x200000 || context >= contexts.length) {
      return 0;
    }
    return switch ((int) at & 0xfff) {
      case 0 -> threshold[context];
      case 4 -> claim(context);
      default -> 0;
    };
  }

  private int claim(int context) {
    int source = best(context);
    if (source != 0) {
      int bit = 1 << source;
      pending[source / 32] &= ~bit;
      claimed[source / 32] |= bit;
      update();
    }
    return source;
  }

  @Override
  public void write(long at, int width, long value) {
    int word = (int) (at & 0x7f) / 4;
    if (at < 0x1000) {
      int source = (int) at / 4;
      if (source > 0 && source <= sources) {
        priority[source] = (int) value & MAX_PRIORITY;
      }
    } else if (at >= 0x2000 && at < 0x2000 + 0x80L * contexts.length) {
      if (word < words) {
        enable[(int) (at - 0x2000) / 0x80][word] = (int) value & (word == 0 ? ~1 : -1);
      }
    } else if (at >= 0x200000 && (at - 0x200000) / 0x1000 < contexts.length) {
      int context = (int) (at - 0x200000) / 0x1000;
      switch ((int) at & 0xfff) {
        case 0 -> threshold[context] = (int) value & MAX_PRIORITY;
        case 4 -> complete(context, value);
        default -> {}
      }
    }
    update();
  }

  private void complete(int context, long source) {
    if (source < 1 || source > sources) {
      return;
    }
    int w = (int) source / 32;
    int bit = 1 << source;
    if ((enable[context][w] & bit) == 0 || (claimed[w] & bit) == 0) {
      return;
    }
    claimed[w] &= ~bit;
    if ((level[w] & bit) != 0) {
      pending[w] |= bit;
    }
  }

  @Override
  public void resetEnter() {
    Arrays.fill(priority, 0);
    Arrays.fill(pending, 0);
    Arrays.fill(claimed, 0);
    Arrays.fill(level, 0);
    Arrays.fill(threshold, 0);
    for (int[] bits : enable) {
      Arrays.fill(bits, 0);
    }
  }

  @Override
  public void resetHold() {
    update();
  }

  @Override
  public void save(StateWriter out) {
    out.putInts("priority", priority);
    out.putInts("level", level);
    out.putInts("pending", pending);
    out.putInts("claimed", claimed);
    out.putInts("threshold", threshold);
    for (int c = 0; c < contexts.length; c++) {
      out.putInts("enable." + c, enable[c]);
    }
  }

  @Override
  public void load(StateReader in, int version) throws StateException {
    copy(in.getLongs("priority", sources + 1), priority, MAX_PRIORITY);
    copy(in.getLongs("level", words), level, -1);
    copy(in.getLongs("pending", words), pending, -1);
    copy(in.getLongs("claimed", words), claimed, -1);
    copy(in.getLongs("threshold", contexts.length), threshold, MAX_PRIORITY);
    for (int c = 0; c < contexts.length; c++) {
      copy(in.getLongs("enable." + c, words), enable[c], -1);
    }
    update();
  }

  private static void copy(long[] from, int[] to, int mask) {
    for (int i = 0; i < to.length; i++) {
      to[i] = (int) from[i] & mask;
    }
  }
}
