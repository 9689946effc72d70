package org.ascus.isa.node;

import com.oracle.truffle.api.CompilerDirectives;
import com.oracle.truffle.api.CompilerDirectives.CompilationFinal;
import com.oracle.truffle.api.CompilerDirectives.TruffleBoundary;
import com.oracle.truffle.api.TruffleLanguage;
import com.oracle.truffle.api.frame.VirtualFrame;
import com.oracle.truffle.api.nodes.ExplodeLoop;
import com.oracle.truffle.api.nodes.IndirectCallNode;
import com.oracle.truffle.api.nodes.RootNode;
import org.ascus.isa.cpu.EntryPoint;
import org.ascus.isa.cpu.VCpu;
import org.ascus.isa.region.TruffleRegion;

/**
 * A region: one entry, many blocks. It is never run by the AST interpreter, which is slower than tier 0 by far: there
 * it returns null at once and whoever called it goes on in tier 0.
 *
 * <p>Registers that the region uses are loaded at its entry and those it writes are stored at every exit and around
 * calls. Calls go to other regions on the host stack; the callee leaves its next pc in the CPU and the caller goes on
 * when that is the return address.
 */
public final class RegionRoot extends RootNode {
  /** What a region that ran returns. */
  public static final Object RAN = new Object();

  @Children private final BlockNode[] blocks;
  @Child private IndirectCallNode indirectCall = IndirectCallNode.create();

  @CompilationFinal(dimensions = 1)
  private final int[] used;

  @CompilationFinal(dimensions = 1)
  private final int[] written;

  private final String name;

  /** The one CPU of a machine that has but one: then its TLB and register file are constants to the compiler. */
  private final VCpu only;

  /**
   * @param only the machine's only CPU, or null when it has several
   * @param used slots that are read or written anywhere in the region
   * @param written slots that are written
   */
  public RegionRoot(
      TruffleLanguage<?> language, String name, VCpu only, BlockNode[] blocks, int[] used, int[] written) {
    super(language, RegionFrame.descriptor());
    this.name = name;
    this.only = only;
    this.blocks = blocks;
    this.used = used;
    this.written = written;
  }

  @Override
  public Object execute(VirtualFrame frame) {
    if (CompilerDirectives.inInterpreter()) {
      return null;
    }
    VCpu cpu = only != null ? only : (VCpu) frame.getArguments()[0];
    frame.setLongStatic(RegionFrame.BUDGET, cpu.budget);
    if (cpu.budget <= 0) {
      return RAN;
    }
    frame.setLongStatic(RegionFrame.CONTEXT, cpu.context);
    frame.setLongStatic(RegionFrame.ENTRY_PC, cpu.pc);
    loadRegisters(frame, cpu);
    run(frame, cpu);
    return RAN;
  }

  /**
   * The only thing that the loop carries from block to block is a block number, which is a constant in each copy of its
   * body. All ways out meet in one more copy, where registers are stored.
   */
  @ExplodeLoop(kind = ExplodeLoop.LoopExplosionKind.MERGE_EXPLODE)
  private void run(VirtualFrame frame, VCpu cpu) {
    int index = 0;
    dispatch:
    while (true) {
      if (index == TerminatorNode.EXIT) {
        storeRegisters(frame, cpu);
        return;
      }
      BlockNode block = blocks[index];
      if (!block.execute(frame, cpu)) {
        index = TerminatorNode.EXIT;
        continue;
      }
      TerminatorNode end = block.end;
      // Comparisons and not a switch: javac's table for switching over an enum is no constant to partial evaluation.
      if (end.kind == TerminatorNode.Kind.BRANCH) {
        if (end.condition(frame)) {
          if (end.taken >= 0 && !(end.takenBack && spent(frame))) {
            index = end.taken;
            continue;
          }
          leave(frame, cpu, end.takenOffset);
        } else {
          if (end.other >= 0 && !(end.otherBack && spent(frame))) {
            index = end.other;
            continue;
          }
          leave(frame, cpu, end.otherOffset);
        }
        index = TerminatorNode.EXIT;
        continue;
      }
      if (end.kind == TerminatorNode.Kind.JUMP) {
        if (end.taken >= 0 && !(end.takenBack && spent(frame))) {
          index = end.taken;
          continue;
        }
        leave(frame, cpu, end.takenOffset);
        index = TerminatorNode.EXIT;
        continue;
      }
      long target = end.target(frame, cpu);
      cpu.budget = frame.getLongStatic(RegionFrame.BUDGET);
      cpu.pc = target;
      if (end.kind == TerminatorNode.Kind.SWITCH && !spent(frame)) {
        long distance = target - frame.getLongStatic(RegionFrame.ENTRY_PC);
        for (int i = 0; i < end.switchBlocks.length; i++) {
          if (distance == end.switchOffsets[i]) {
            index = end.switchBlocks[i];
            continue dispatch;
          }
        }
      }
      if (end.kind == TerminatorNode.Kind.LEAVE || end.taken < 0) {
        index = TerminatorNode.EXIT;
        continue;
      }
      storeRegisters(frame, cpu);
      if (!call(cpu, end, target)) {
        return;
      }
      long link = frame.getLongStatic(RegionFrame.ENTRY_PC) + end.takenOffset;
      if (cpu.pc != link || cpu.budget <= 0 || cpu.event != VCpu.NONE) {
        return;
      }
      loadRegisters(frame, cpu);
      frame.setLongStatic(RegionFrame.BUDGET, cpu.budget);
      frame.setLongStatic(RegionFrame.CONTEXT, cpu.context);
      index = end.taken;
    }
  }

  /** Calls the region at {@code target}; false if there is none that can be called. */
  private boolean call(VCpu cpu, TerminatorNode end, long target) {
    if (cpu.callDepth >= VCpu.MAX_CALL_DEPTH) {
      return false;
    }
    Object ran;
    if (end.callee != null && end.callee.matches(cpu, cpu.pc) && end.callee.isReady()) {
      cpu.callDepth++;
      ran = end.call.call(cpu.arguments);
    } else {
      EntryPoint entry = cpu.findEntry(target);
      if (entry != null && entry.code instanceof TruffleRegion region) {
        if (!region.isReady()) {
          return false;
        }
        cpu.callDepth++;
        ran = indirectCall.call(region.callTarget(), cpu.arguments);
      } else if (entry != null) {
        cpu.callDepth++;
        ran = runOtherTier(entry, cpu);
      } else {
        // Its calls count, though this tier makes them.
        cpu.hotEdge = true;
        return false;
      }
    }
    cpu.callDepth--;
    return ran != null;
  }

  @TruffleBoundary
  private static Object runOtherTier(EntryPoint entry, VCpu cpu) {
    cpu.run(entry);
    return RAN;
  }

  private static boolean spent(VirtualFrame frame) {
    return frame.getLongStatic(RegionFrame.BUDGET) <= 0;
  }

  private static void leave(VirtualFrame frame, VCpu cpu, int offset) {
    cpu.pc = frame.getLongStatic(RegionFrame.ENTRY_PC) + offset;
    cpu.hotEdge = true;
    cpu.budget = frame.getLongStatic(RegionFrame.BUDGET);
  }

  @ExplodeLoop
  private void loadRegisters(VirtualFrame frame, VCpu cpu) {
    long[] regs = cpu.regs;
    for (int slot : used) {
      frame.setLongStatic(slot, regs[slot]);
    }
  }

  @ExplodeLoop
  private void storeRegisters(VirtualFrame frame, VCpu cpu) {
    long[] regs = cpu.regs;
    for (int slot : written) {
      regs[slot] = frame.getLongStatic(slot);
    }
  }

  @Override
  public String getName() {
    return name;
  }

  @Override
  public boolean isCloningAllowed() {
    return false;
  }

  @Override
  public String toString() {
    return name;
  }
}
