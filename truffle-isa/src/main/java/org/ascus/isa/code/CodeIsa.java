package org.ascus.isa.code;

import java.lang.constant.ClassDesc;
import java.lang.invoke.MethodHandles;
import java.util.List;
import org.ascus.isa.cpu.Block;
import org.ascus.isa.region.RegionIsa;

/** What a tier that makes code asks of an ISA. Slots, offsets and edges are as in {@link RegionIsa}. */
public interface CodeIsa {
  /** Access to the package that region classes become members of. */
  MethodHandles.Lookup lookup();

  /** The ISA's CPU class, visible from that package. */
  ClassDesc cpu();

  /** Classes of the ISA that have methods which are {@link org.ascus.isa.cpu.BetweenRegions}. */
  List<Class<?>> betweenRegions();

  /** Collects the register slots that {@code block} reads or writes. */
  void registers(Block block, RegionIsa.RegisterUse use);

  /** Instructions of {@code block} that are emitted; what it ends with belongs to the interpreter if it is not. */
  int count(Block block);

  /** Emits what comes before the instruction that ends {@code block}, which {@code to} has begun. */
  void body(BlockAssembler to, Block block);

  /** Emits the branch that ends {@code block}. */
  void branch(BlockAssembler to, Block block);

  /**
   * Emits the computation of where the jump or call at the end of {@code block} goes, onto the stack (a virtual
   * address), and the write of its link register.
   */
  void target(BlockAssembler to, Block block);
}
