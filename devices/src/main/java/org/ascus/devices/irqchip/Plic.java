package org.ascus.devices.irqchip;

import java.util.Arrays;
import java.util.Map;
import org.ascus.machine.bus.BusDevice;
import org.ascus.machine.bus.MmioRegion;
import org.ascus.machine.device.Device;
import org.ascus.machine.irq.IrqLine;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;

/**
 * RISC-V Platform-Level Interrupt Controller (RISC-V PLIC specification 1.0.0), all sources level-triggered.
 *
 * <pre>
 * 0x000000 + 4 * source                 priority, 0 (never) to 7; WARL
 * 0x001000 + 4 * word                   pending bits, read only
 * 0x002000 + 0x80 * context + 4 * word  enable bits
 * 0x200000 + 0x1000 * context           threshold, 0 to 7; WARL
 * 0x200004 + 0x1000 * context           read: claim; write: complete
 * </pre>
 *
 * <p>A source's gateway forwards one request while its wire is high and then waits for the completion (section 3); a
 * request once pending stays so when the wire falls. A claim ignores the threshold, and a completion of a source that
 * is not enabled for the context is ignored (section 9).
 *
 * <p>Lock order: devices drive inputs with their own lock held; this lock comes after it and before nothing.
 */
public final class Plic extends Device {
  /** Bytes of the register window of QEMU's virt board. */
  public static final long SIZE = 0x600000;

  private static final int MAX_PRIORITY = 7;
  private static final long PENDING = 0x1000;
  private static final long ENABLE = 0x2000;
  private static final long ENABLE_STRIDE = 0x80;
  private static final long CONTEXT = 0x200000;
  private static final long CONTEXT_STRIDE = 0x1000;

  private final int sources;
  private final int words;
  private final IrqLine[] outputs;
  private final int[] priority;
  private final int[] threshold;
  private final int[] level;
  private final int[] pending;
  private final int[] claimed;
  private final int[][] enable;

  /**
   * @param sources highest source number, at most 1023; source 0 does not exist
   * @param outputs the interrupt input that each context drives
   */
  public Plic(String id, int sources, IrqLine[] outputs) {
    super("riscv.sifive.plic", id);
    if (sources < 1 || sources > 1023 || outputs.length > (SIZE - CONTEXT) / CONTEXT_STRIDE) {
      throw new IllegalArgumentException(sources + " sources, " + outputs.length + " contexts");
    }
    this.sources = sources;
    this.words = sources / 32 + 1;
    this.outputs = outputs.clone();
    this.priority = new int[sources + 1];
    this.threshold = new int[outputs.length];
    this.level = new int[words];
    this.pending = new int[words];
    this.claimed = new int[words];
    this.enable = new int[outputs.length][words];
  }

  public MmioRegion region() {
    return new MmioRegion(type(), SIZE, new Registers(), lock());
  }

  /** The wire of {@code source}, from 1. */
  public IrqLine input(int source) {
    if (source < 1 || source > sources) {
      throw new IllegalArgumentException("PLIC source " + source + " of 1 to " + sources);
    }
    return high -> {
      lock().lock();
      try {
        drive(source, high);
      } finally {
        lock().unlock();
      }
    };
  }

  private void drive(int source, boolean high) {
    int word = source / 32;
    int bit = 1 << source;
    if ((level[word] & bit) != 0 == high) {
      return;
    }
    level[word] ^= bit;
    if (high && (claimed[word] & bit) == 0) {
      pending[word] |= bit;
      update();
    }
  }

  private void update() {
    for (int context = 0; context < outputs.length; context++) {
      update(context);
    }
  }

  private void update(int context) {
    int best = best(context);
    outputs[context].set(best != 0 && priority[best] > threshold[context]);
  }

  /** The enabled pending source of the highest priority above 0, the lowest number among equals; 0 if there is none. */
  private int best(int context) {
    int best = 0;
    int most = 0;
    for (int word = 0; word < words; word++) {
      int bits = pending[word] & enable[context][word];
      while (bits != 0) {
        int source = word * 32 + Integer.numberOfTrailingZeros(bits);
        bits &= bits - 1;
        if (priority[source] > most) {
          most = priority[source];
          best = source;
        }
      }
    }
    return best;
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

  private void complete(int context, long source) {
    if (source < 1 || source > sources || (enable[context][(int) source / 32] & 1 << source) == 0) {
      return;
    }
    int word = (int) source / 32;
    int bit = 1 << source;
    if ((claimed[word] & bit) != 0) {
      claimed[word] &= ~bit;
      if ((level[word] & bit) != 0) {
        pending[word] |= bit;
      }
      update();
    }
  }

  private int existing(int word) {
    int mask = word == 0 ? ~1 : -1;
    return word == words - 1 ? mask & -1 >>> (31 - sources % 32) : mask;
  }

  private final class Registers implements BusDevice {
    @Override
    public AccessSizes accessSizes() {
      return AccessSizes.WORD;
    }

    @Override
    public long read(long offset, int width) {
      long at = offset & ~3;
      if (at < PENDING) {
        int source = (int) at / 4;
        return source <= sources ? priority[source] : 0;
      } else if (at < ENABLE) {
        int word = (int) (at - PENDING) / 4;
        return word < words ? pending[word] & 0xffffffffL : 0;
      } else if (at < CONTEXT) {
        int context = (int) ((at - ENABLE) / ENABLE_STRIDE);
        int word = (int) ((at - ENABLE) % ENABLE_STRIDE) / 4;
        return context < outputs.length && word < words
            ? enable[context][word] & 0xffffffffL
            : 0;
      }
      int context = (int) ((at - CONTEXT) / CONTEXT_STRIDE);
      int register = (int) ((at - CONTEXT) % CONTEXT_STRIDE);
      if (context >= outputs.length) {
        return 0;
      }
      return switch (register) {
        case 0 -> threshold[context];
        case 4 -> claim(context);
        default -> 0;
      };
    }

    @Override
    public void write(long offset, int width, long value) {
      long at = offset & ~3;
      if (at < PENDING) {
        int source = (int) at / 4;
        if (source > 0 && source <= sources) {
          priority[source] = (int) value & MAX_PRIORITY;
          update();
        }
      } else if (at >= ENABLE && at < CONTEXT) {
        int context = (int) ((at - ENABLE) / ENABLE_STRIDE);
        int word = (int) ((at - ENABLE) % ENABLE_STRIDE) / 4;
        if (context < outputs.length && word < words) {
          enable[context][word] = (int) value & existing(word);
          update(context);
        }
      } else if (at >= CONTEXT) {
        int context = (int) ((at - CONTEXT) / CONTEXT_STRIDE);
        int register = (int) ((at - CONTEXT) % CONTEXT_STRIDE);
        if (context < outputs.length && register == 0) {
          threshold[context] = (int) value & MAX_PRIORITY;
          update(context);
        } else if (context < outputs.length && register == 4) {
          complete(context, value);
        }
      }
    }
  }

  /** The wires keep their levels: they belong to the devices that drive them. */
  @Override
  public void resetEnter() {
    Arrays.fill(priority, 0);
    Arrays.fill(threshold, 0);
    Arrays.fill(pending, 0);
    Arrays.fill(claimed, 0);
    for (int[] bits : enable) {
      Arrays.fill(bits, 0);
    }
  }

  @Override
  public void resetHold() {
    for (IrqLine output : outputs) {
      output.set(false);
    }
  }

  @Override
  public void resetExit() {
    System.arraycopy(level, 0, pending, 0, words);
    update();
  }

  @Override
  public Map<String, String> properties() {
    return Map.of("num-sources", Integer.toString(sources), "num-contexts", Integer.toString(outputs.length));
  }

  @Override
  public void save(StateWriter out) {
    out.putInts("priority", priority);
    out.putInts("threshold", threshold);
    out.putInts("level", level);
    out.putInts("pending", pending);
    out.putInts("claimed", claimed);
    for (int context = 0; context < enable.length; context++) {
      out.putInts("enable." + context, enable[context]);
    }
  }

  @Override
  public void load(StateReader in, int version) throws StateException {
    load(in, "priority", priority, MAX_PRIORITY);
    load(in, "threshold", threshold, MAX_PRIORITY);
    loadBits(in, "level", level);
    loadBits(in, "pending", pending);
    loadBits(in, "claimed", claimed);
    for (int context = 0; context < enable.length; context++) {
      loadBits(in, "enable." + context, enable[context]);
    }
    update();
  }

  private static void load(StateReader in, String name, int[] target, int mask) throws StateException {
    long[] values = in.getLongs(name, target.length);
    for (int i = 0; i < target.length; i++) {
      target[i] = (int) values[i] & mask;
    }
  }

  private void loadBits(StateReader in, String name, int[] target) throws StateException {
    load(in, name, target, -1);
    for (int word = 0; word < words; word++) {
      target[word] &= existing(word);
    }
  }
}
