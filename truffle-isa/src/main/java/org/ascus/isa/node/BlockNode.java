package org.ascus.isa.node;

import com.oracle.truffle.api.frame.VirtualFrame;
import com.oracle.truffle.api.nodes.ExplodeLoop;
import com.oracle.truffle.api.nodes.Node;
import org.ascus.isa.cpu.VCpu;

/** The instructions of a basic block and how it ends. */
public final class BlockNode extends Node {
  @Children private final InstructionNode[] body;
  @Child TerminatorNode end;
  private final int count;

  /**
   * @param count guest instructions in the block, the terminator included
   */
  public BlockNode(InstructionNode[] body, TerminatorNode end, int count) {
    this.body = body;
    this.end = end;
    this.count = count;
  }

  public TerminatorNode end() {
    return end;
  }

  @ExplodeLoop
  boolean execute(VirtualFrame frame, VCpu cpu) {
    frame.setLongStatic(RegionFrame.BUDGET, frame.getLongStatic(RegionFrame.BUDGET) - count);
    for (InstructionNode node : body) {
      if (!node.execute(frame, cpu)) {
        return false;
      }
    }
    return true;
  }
}
