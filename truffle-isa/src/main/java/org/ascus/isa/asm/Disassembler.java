package org.ascus.isa.asm;

import java.util.Optional;
import org.ascus.isa.decode.Decoder;
import org.ascus.isa.table.Instruction;
import org.ascus.isa.table.InstructionTable;
import org.ascus.isa.table.Shape;

/**
 * Instruction words as text, in the style of objdump without aliases: {@code addi a0,a1,-1}. The result is the same
 * encoding again when it is assembled; what no mnemonic can express comes as {@code .4byte} or {@code .2byte}.
 */
public final class Disassembler {
  private final Decoder decoder;
  private final Dialect dialect;

  /** A disassembler for all instructions of {@code table}, whatever a hart may have switched off. */
  public Disassembler(InstructionTable table, Dialect dialect) {
    this.decoder = new Decoder(table, table.extensions());
    this.dialect = dialect;
  }

  /**
   * The instruction in {@code bits}.
   *
   * @param pc guest address of the instruction, for targets of branches
   * @param bits a word, or a halfword (the upper half is ignored) when the low two bits are not both set
   */
  public String disassemble(long pc, int bits) {
    boolean word = (bits & 3) == 3;
    int encoding = word ? bits : bits & 0xffff;
    Optional<Instruction> line = decoder.find(encoding).filter(i -> expressible(i, encoding));
    return dialect
        .special(encoding)
        .or(() -> line.map(i -> format(i, pc, encoding)))
        .orElseGet(() -> (word ? ".4byte 0x" : ".2byte 0x") + Integer.toHexString(encoding));
  }

  private static boolean expressible(Instruction line, int bits) {
    if ((bits & ~(line.mask() | line.layout().operandMask())) != 0) {
      return false;
    }
    int imm = line.layout().imm(bits);
    return line.shape() == Shape.FENCE
        ? imm >>> 8 == 0
        : !line.shape().hasRoundingMode() || !InstructionEncoder.roundingModeName(imm & 7).isEmpty();
  }

  private String format(Instruction line, long pc, int bits) {
    StringBuilder out = new StringBuilder(line.name());
    var layout = line.layout();
    int imm = layout.imm(bits);
    if (line.shape() == Shape.AMO) {
      out.append((imm & 2) != 0 ? (imm & 1) != 0 ? ".aqrl" : ".aq" : (imm & 1) != 0 ? ".rl" : "");
    }
    String separator = " ";
    for (String token : InstructionEncoder.tokens(line.syntax())) {
      String text =
          switch (token) {
            case "rd" -> dialect.registerName(layout.rd(bits), line.rdIsFp());
            case "rs1" -> dialect.registerName(layout.rs1(bits), line.rs1IsFp());
            case "rs2" -> dialect.registerName(layout.rs2(bits), line.rs2IsFp());
            case "rs3" -> dialect.registerName(imm >> 8, true);
            case "imm" -> Integer.toString(imm);
            case "shamt" -> "0x" + Integer.toHexString(imm);
            case "upper" -> "0x" + Integer.toHexString(imm >>> 12);
            case "target" -> "0x" + Long.toHexString(pc + imm);
            case "csr" -> dialect.systemRegisterName(imm).orElseGet(() -> "0x" + Integer.toHexString(imm));
            case "zimm" -> Integer.toString(layout.rs1(bits));
            case "rm" -> roundingMode(imm & 7, 7);
            case "rm0" -> roundingMode(imm & 7, 0);
            case "pred" -> fenceSet(imm >> 4 & 15);
            case "succ" -> fenceSet(imm & 15);
            case "0" -> "";
            default -> token;
          };
      out.append(separator).append(text);
      separator = "";
    }
    return out.toString();
  }

  private static String roundingMode(int mode, int absent) {
    return mode == absent ? "" : "," + InstructionEncoder.roundingModeName(mode);
  }

  private static String fenceSet(int set) {
    StringBuilder letters = new StringBuilder();
    for (int i = 3; i >= 0; i--) {
      if ((set >> i & 1) != 0) {
        letters.append("wroi".charAt(i));
      }
    }
    return set == 0 ? "0" : letters.toString();
  }
}
