package org.ascus.isa.bytecode;

import java.lang.classfile.Label;
import java.lang.constant.ClassDesc;
import java.lang.invoke.MethodHandles;
import org.ascus.isa.cpu.Block;
import org.ascus.isa.region.RegionIsa;

/** What the bytecode tier asks of an ISA. Slots, offsets and edges are as in {@link RegionIsa}. */
public interface BytecodeIsa {
  /** Access to the package that region classes become members of. */
  MethodHandles.Lookup lookup();

  /** The ISA's CPU class, visible from that package. */
  ClassDesc cpu();

  /** Collects the register slots that {@code block} reads or writes. */
  void registers(Block block, RegionIsa.RegisterUse use);

  /** Instructions of {@code block} that are emitted; what it ends with belongs to the interpreter if it is not. */
  int count(Block block);

  /** Emits what comes before the instruction that ends {@code block}, which {@code to} has begun. */
  void body(RegionAssembler to, Block block);

  /** Emits a jump to {@code taken} under the condition of the branch that ends {@code block}. */
  void branch(RegionAssembler to, Block block, Label taken);

  /**
   * Emits the computation of where the jump or call at the end of {@code block} goes, onto the stack (a virtual
   * address), and the write of its link register.
   */
  void target(RegionAssembler to, Block block);
}
