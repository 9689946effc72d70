package org.ascus.isa.node;

import com.oracle.truffle.api.CompilerDirectives.CompilationFinal;
import com.oracle.truffle.api.frame.VirtualFrame;
import com.oracle.truffle.api.nodes.DirectCallNode;
import com.oracle.truffle.api.nodes.Node;
import org.ascus.isa.cpu.VCpu;
import org.ascus.isa.region.TruffleRegion;

/**
 * How a block ends. Its successors are edges of the region: the number of a block in it, or {@link #EXIT}; edges go to
 * a byte offset from the region's entry.
 */
public abstract class TerminatorNode extends Node {
  /** An edge that leaves the region. */
  public static final int EXIT = -1;

  /** What kind of end it is. */
  public enum Kind {
    /** {@link #condition} chooses between the two edges. */
    BRANCH,
    /** Always the first edge. */
    JUMP,
    /** {@link #target} computes where it goes, and it comes back to the first edge. */
    CALL,
    /** {@link #target} computes where it goes; it stays in the region for the targets of {@link #switchOffsets}. */
    SWITCH,
    /** {@link #target} computes where it goes; no edges. */
    LEAVE
  }

  public final Kind kind;

  /** Block numbers; the first is the taken one. */
  public final int taken;

  public final int other;

  /** Byte offsets from the region's entry. */
  public final int takenOffset;

  public final int otherOffset;

  /** True for an edge that may close a loop, where the budget is tested. */
  public final boolean takenBack;

  public final boolean otherBack;

  /** Of a CALL whose target's region was known when this one was made: that region, else null. */
  @CompilationFinal TruffleRegion callee;

  /** Calls {@link #callee}. */
  @Child DirectCallNode call;

  /** Targets of a SWITCH, in bytes from the region's entry. */
  @CompilationFinal(dimensions = 1)
  public final int[] switchOffsets;

  /** The block at each of {@link #switchOffsets}. */
  @CompilationFinal(dimensions = 1)
  public final int[] switchBlocks;

  protected TerminatorNode(
      Kind kind, int taken, int takenOffset, boolean takenBack, int other, int otherOffset, boolean otherBack) {
    this(kind, taken, takenOffset, takenBack, other, otherOffset, otherBack, null, new int[0], new int[0]);
  }

  protected TerminatorNode(
      Kind kind, int taken, int takenOffset, boolean takenBack, int other, int otherOffset, boolean otherBack,
      TruffleRegion callee, int[] switchOffsets, int[] switchBlocks) {
    this.callee = callee;
    this.call = callee == null ? null : DirectCallNode.create(callee.callTarget());
    this.switchOffsets = switchOffsets;
    this.switchBlocks = switchBlocks;
    this.kind = kind;
    this.taken = taken;
    this.other = other;
    this.takenOffset = takenOffset;
    this.otherOffset = otherOffset;
    this.takenBack = takenBack;
    this.otherBack = otherBack;
  }

  /** Makes this CALL one of {@code region}, which goes to its own entry; before anybody runs it. */
  public final void callSelf(TruffleRegion region) {
    callee = region;
    call = insert(DirectCallNode.create(region.callTarget()));
  }

  /** Of a BRANCH: whether it is taken. */
  public boolean condition(VirtualFrame frame) {
    throw new IllegalStateException();
  }

  /** Of a CALL or LEAVE: the virtual address it goes to; writes the link register. */
  public long target(VirtualFrame frame, VCpu cpu) {
    throw new IllegalStateException();
  }

  /** The end of a block that was cut short, or a plain jump without link. */
  public static final class Jump extends TerminatorNode {
    public Jump(int taken, int takenOffset, boolean takenBack) {
      super(Kind.JUMP, taken, takenOffset, takenBack, EXIT, 0, false);
    }
  }

  /** Leaves the region at a fixed place: before an instruction that only the interpreter executes. */
  public static final class Stop extends TerminatorNode {
    private final int offset;

    public Stop(int offset) {
      super(Kind.LEAVE, EXIT, 0, false, EXIT, 0, false);
      this.offset = offset;
    }

    @Override
    public long target(VirtualFrame frame, VCpu cpu) {
      return frame.getLongStatic(RegionFrame.ENTRY_PC) + offset;
    }
  }
}
