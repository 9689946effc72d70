package org.ascus.isa.table;

import java.util.List;

/**
 * One line of an instruction table.
 *
 * @param index number of the instruction, dense from 1 in the order of the table; 0 means "no instruction"
 * @param name mnemonic
 * @param semantics name of the static method that gives its meaning
 * @param mask bits of the encoding that are fixed
 * @param match their values
 * @param length bytes of the encoding, 2 or 4
 * @param shape operands and calling convention, for a compressed line those of its base
 * @param flags bits of {@link Flags}
 * @param extensions all of these must be on
 * @param syntax operands in assembly, see {@code org.ascus.isa.asm}
 * @param accessBytes bytes of memory accessed, 0 if none
 * @param baseIndex for a compressed line, the index of the instruction it expands onto; its own index otherwise
 * @param layout where the operands are in the encoding
 */
public record Instruction(
    int index,
    String name,
    String semantics,
    int mask,
    int match,
    int length,
    Shape shape,
    int flags,
    List<String> extensions,
    String syntax,
    int accessBytes,
    int baseIndex,
    Layout layout) {

  /** Whether {@code bits} (a 16-bit encoding zero-extended) is this instruction. */
  public boolean matches(int bits) {
    return (bits & mask) == match && layout.allows(bits);
  }

  /** Whether all bits of {@code flag} are set. */
  public boolean is(int flag) {
    return (flags & flag) == flag;
  }

  /** Whether this line expands onto another instruction. */
  public boolean isCompressed() {
    return baseIndex != index;
  }

  /** Whether there is a destination register. */
  public boolean writesRd() {
    return shape.rd() != Shape.Operand.NONE;
  }

  /** Whether rd is a floating-point register. */
  public boolean rdIsFp() {
    return shape.rd() == Shape.Operand.FP;
  }

  /** Whether rs1 is a register that is read. */
  public boolean readsRs1() {
    return shape.rs1() != Shape.Operand.NONE && (layout.hasRs1() || isCompressed());
  }

  /** Whether rs1 is a floating-point register. */
  public boolean rs1IsFp() {
    return shape.rs1() == Shape.Operand.FP;
  }

  /** Whether rs2 is a register that is read. */
  public boolean readsRs2() {
    return shape.rs2() != Shape.Operand.NONE && (layout.hasRs2() || isCompressed());
  }

  /** Whether rs2 is a floating-point register. */
  public boolean rs2IsFp() {
    return shape.rs2() == Shape.Operand.FP;
  }

  /** Whether there is a third floating-point source, its number in bits 12:8 of the immediate. */
  public boolean readsRs3() {
    return shape == Shape.FP_R4;
  }
}
