package org.ascus.isa.hostcode;

import static org.ascus.isa.hostcode.X64Assembler.R10;
import static org.ascus.isa.hostcode.X64Assembler.R11;
import static org.ascus.isa.hostcode.X64Assembler.R13;
import static org.ascus.isa.hostcode.X64Assembler.R14;
import static org.ascus.isa.hostcode.X64Assembler.R8;
import static org.ascus.isa.hostcode.X64Assembler.R9;
import static org.ascus.isa.hostcode.X64Assembler.RBX;
import static org.ascus.isa.hostcode.X64Assembler.RSI;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.ascus.isa.code.CodeIsa;
import org.ascus.isa.cpu.Slots;
import org.ascus.isa.node.TerminatorNode;
import org.ascus.isa.region.Flow;
import org.ascus.isa.region.RegionIsa;
import org.ascus.isa.region.RegionPlan;

/**
 * The guest registers that a region with loops has in host registers all the time: those that its loops use most. They
 * are loaded where control comes in and stored where it goes out, and the register file does not have them in between.
 * Such a region has neither the context nor the head's address in a register.
 */
final class ResidentRegisters {
  static final ResidentRegisters NONE = new ResidentRegisters(new int[0], 0);

  /** What a region without any has for values of the current block. */
  private static final int[] USUAL = {R8, R9, R10, R11, RSI};

  private static final int[] HOST = {R13, R14, R8, R9, R10, R11, RSI};

  /** One is left for the others. */
  private static final int MOST = HOST.length - 1;

  /** How often a loop goes round, as a power of two. */
  private static final int ROUNDS_LOG2 = 3;

  private static final int MAX_DEPTH = 3;

  private final int[] slots;
  private final long written;

  /** @param written slots that the region writes, as a bit set */
  private ResidentRegisters(int[] slots, long written) {
    this.slots = slots;
    this.written = written;
  }

  /**
   * Those of a region.
   *
   * @param leaves how often control goes to tier 0 and back in each part
   */
  static ResidentRegisters of(CodeIsa isa, RegionPlan plan, Map<Integer, Integer> index, int[] leaves) {
    List<RegionPlan.Part> parts = plan.parts();
    int[] depths = depths(parts, index);
    if (Arrays.stream(depths).allMatch(d -> d == 0)) {
      return NONE;
    }
    long[] gain = new long[Slots.REGISTERS];
    long cost = 0;
    long written = 0;
    for (int i = 0; i < depths.length; i++) {
      RegionPlan.Part part = parts.get(i);
      long weight = 1L << ROUNDS_LOG2 * Math.min(depths[i], MAX_DEPTH);
      RegionIsa.RegisterUse use = new RegionIsa.RegisterUse();
      isa.registers(part.block(), use);
      for (int slot : use.used()) {
        gain[slot] += weight * use.times(slot);
      }
      for (int slot : use.changed()) {
        written |= 1L << slot;
      }
      cost += weight * (leaves[i] + (staysInside(part.flow().kind()) ? 0 : 1));
    }
    for (int slot = 0; slot < gain.length; slot++) {
      gain[slot] -= cost * (1 + (written >>> slot & 1));
    }
    int[] slots =
        IntStream.range(1, gain.length)
            .filter(slot -> gain[slot] > 0)
            .boxed()
            .sorted((a, b) -> Long.compare(gain[b], gain[a]))
            .limit(MOST)
            .mapToInt(Integer::intValue)
            .toArray();
    return slots.length == 0 ? NONE : new ResidentRegisters(slots, written);
  }

  private static boolean staysInside(Flow.Kind kind) {
    return kind == Flow.Kind.BRANCH || kind == Flow.Kind.JUMP || kind == Flow.Kind.FALL;
  }

  /** In how many loops each part is. */
  private static int[] depths(List<RegionPlan.Part> parts, Map<Integer, Integer> index) {
    Map<Integer, Integer> ends = new HashMap<>();
    for (RegionPlan.Part part : parts) {
      Flow flow = part.flow();
      if (flow.kind() == Flow.Kind.BRANCH) {
        note(ends, part, part.edge(index, flow.taken()), flow.taken());
        note(ends, part, part.edge(index, flow.next()), flow.next());
      } else if (staysInside(flow.kind())) {
        note(ends, part, part.edge(index, flow.taken()), flow.taken());
      }
    }
    int[] depths = new int[parts.size()];
    ends.forEach(
        (start, end) -> {
          for (int i = 0; i < depths.length; i++) {
            int offset = parts.get(i).offset();
            depths[i] += offset >= start && offset <= end ? 1 : 0;
          }
        });
    return depths;
  }

  /** Notes the last part from which control goes back to the start of a loop. */
  private static void note(Map<Integer, Integer> ends, RegionPlan.Part from, RegionIsa.Edge edge, int relative) {
    if (edge.back() && edge.index() != TerminatorNode.EXIT) {
      ends.merge(from.offset() + relative, from.offset(), Math::max);
    }
  }

  /** Emits that {@code to} gets the virtual address {@code offset} bytes from the head. */
  void address(X64Assembler code, int to, int offset) {
    if (isEmpty()) {
      code.lea(to, R14, offset);
    } else {
      code.load(to, RBX, 8 * Slots.HEAD, 3, false);
      code.lea(to, to, offset);
    }
  }

  /** Emits that {@code to} gets the bits of the data context, too. */
  void addContext(X64Assembler code, int to) {
    if (isEmpty()) {
      code.alu(X64Assembler.OR, true, to, R13);
    } else {
      code.alu(X64Assembler.OR, true, to, RBX, 8 * Slots.CONTEXT);
    }
  }

  boolean isEmpty() {
    return slots.length == 0;
  }

  /** The host register that has {@code slot}, or -1. */
  int home(int slot) {
    for (int i = 0; i < slots.length; i++) {
      if (slots[i] == slot) {
        return HOST[i];
      }
    }
    return -1;
  }

  /** Host registers for values of the current block. */
  int[] others() {
    return isEmpty() ? USUAL : Arrays.copyOfRange(HOST, slots.length, HOST.length);
  }

  /** Emits the way from an entry to {@code block}: a jump, which can be turned to elsewhere, and perhaps more. */
  void enter(X64Assembler code, X64Assembler.Label block) {
    if (!isEmpty()) {
      X64Assembler.Label in = new X64Assembler.Label();
      code.jump(in);
      code.bind(in);
      comeIn(code);
    }
    code.jump(block);
  }

  /** Has them in their host registers, of which r14 had the head's address. */
  void comeIn(X64Assembler code) {
    if (!isEmpty()) {
      code.store(R14, RBX, 8 * Slots.HEAD, 3);
    }
    for (int i = 0; i < slots.length; i++) {
      code.load(HOST[i], RBX, 8 * slots[i], 3, false);
    }
  }

  /** Has the register file as it must be outside. */
  void store(X64Assembler code) {
    for (int i = 0; i < slots.length; i++) {
      if ((written >>> slots[i] & 1) != 0) {
        code.store(HOST[i], RBX, 8 * slots[i], 3);
      }
    }
    if (!isEmpty()) {
      code.load(R13, RBX, 8 * Slots.CONTEXT, 3, false);
    }
  }

  /** As {@link #store}, and has the head's address in r14. */
  void goOut(X64Assembler code) {
    store(code);
    if (!isEmpty()) {
      code.load(R14, RBX, 8 * Slots.HEAD, 3, false);
    }
  }
}
