package org.ascus.isa.decode;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.ascus.isa.riscv.RiscvTable;
import org.ascus.isa.riscv.RvOp;
import org.ascus.isa.table.Instruction;
import org.ascus.isa.table.InstructionTable;
import org.junit.jupiter.api.Test;

class DecoderTest {
  private static final InstructionTable TABLE = RiscvTable.get();
  private final Decoder decoder = new Decoder(TABLE, TABLE.extensions());

  @Test
  void decodesOperands() {
    long addi = decoder.decode(0xfff5_8513); // addi a0,a1,-1
    assertThat(List.of(Packed.op(addi), Packed.rd(addi), Packed.rs1(addi), Packed.rs2(addi), Packed.imm(addi)))
        .containsExactly(RvOp.ADDI, 10, 11, 0, -1);
    assertThat(Packed.length(addi)).isEqualTo(4);

    long branch = decoder.decode(0xfe20_8ee3); // beq ra,sp,-4
    assertThat(List.of(Packed.op(branch), Packed.rs1(branch), Packed.rs2(branch), Packed.imm(branch)))
        .containsExactly(RvOp.BEQ, 1, 2, -4);

    long lui = decoder.decode(0x8000_0537); // lui a0,0x80000
    assertThat(List.of(Packed.op(lui), Packed.rd(lui), Packed.imm(lui)))
        .containsExactly(RvOp.LUI, 10, Integer.MIN_VALUE);

    long fmadd = decoder.decode(0xfa31_70c3); // fmadd.d ft1,ft2,ft3,ft11,dyn
    assertThat(List.of(Packed.op(fmadd), Packed.rd(fmadd), Packed.rs1(fmadd), Packed.rs2(fmadd), Packed.rs3(fmadd)))
        .containsExactly(RvOp.FMADD_D, 1, 2, 3, 31);
    assertThat(Packed.roundingMode(fmadd)).isEqualTo(7);

    long csrrwi = decoder.decode(0xfff2_d073); // csrrwi zero,0xfff,5
    assertThat(List.of(Packed.op(csrrwi), Packed.rd(csrrwi), Packed.rs1(csrrwi), Packed.imm(csrrwi)))
        .containsExactly(RvOp.CSRRWI, 0, 5, 0xfff);
  }

  @Test
  void compressedInstructionsDecodeToTheirBase() {
    long addi16sp = decoder.decode(0x7139); // c.addi16sp sp,-64
    assertThat(List.of(Packed.op(addi16sp), Packed.rd(addi16sp), Packed.rs1(addi16sp), Packed.imm(addi16sp)))
        .containsExactly(RvOp.ADDI, 2, 2, -64);
    assertThat(Packed.length(addi16sp)).isEqualTo(2);
    long ret = decoder.decode(0xdead_8082); // c.jr ra below other bits
    assertThat(List.of(Packed.op(ret), Packed.rd(ret), Packed.rs1(ret), Packed.imm(ret)))
        .containsExactly(RvOp.JALR, 0, 1, 0);
  }

  @Test
  void reservedEncodingsAreIllegal() {
    assertThat(decoder.decode(0)).isZero();
    assertThat(decoder.decode(-1)).isZero();
    assertThat(decoder.decode(0x0000_00f3)).as("ecall with rd").isZero();
    assertThat(decoder.decode(0x0200_501b)).as("srliw with shamt[5]").isZero();
    assertThat(decoder.decode(0x1010_a02f)).as("lr.w with rs2").isZero();
    assertThat(decoder.decode(0x6001)).as("c.lui with nzimm 0").isZero();
    assertThat(decoder.decode(0x8002)).as("c.jr x0").isZero();
  }

  @Test
  void linesOfDisabledExtensionsAreIllegal() {
    Set<String> extensions = new HashSet<>(TABLE.extensions());
    extensions.removeAll(Set.of("zba", "c", "d"));
    Decoder smaller = new Decoder(TABLE, extensions);
    for (Instruction line : TABLE.instructions()) {
      int bits = example(line);
      boolean enabled = extensions.containsAll(line.extensions());
      assertThat(smaller.decode(bits) != Packed.ILLEGAL).as(line.name()).isEqualTo(enabled);
      assertThat(Packed.op(decoder.decode(bits))).as(line.name()).isEqualTo(line.baseIndex());
    }
  }

  /** An encoding with every operand bit set, or as many as keep it legal. */
  private static int example(Instruction line) {
    int bits = line.match() | line.layout().operandMask();
    return line.matches(bits) ? bits : line.match() | line.layout().operandMask() & 0xf8f;
  }

  @Test
  void everyWordIsAtMostOneInstruction() {
    Random random = new Random(20250101);
    for (int i = 0; i < 300_000; i++) {
      int word = random.nextInt() | 3;
      if ((i & 1) == 0) { // near an instruction, so that most are legal
        Instruction line = TABLE.get(1 + random.nextInt(TABLE.size()));
        word = word & ~line.mask() | line.match();
      }
      assertExactlyOneLineIfLegal(word);
    }
    for (int half = 0; half < 0x10000; half++) {
      if ((half & 3) != 3) {
        assertExactlyOneLineIfLegal(half);
      }
    }
  }

  private void assertExactlyOneLineIfLegal(int bits) {
    boolean word = (bits & 3) == 3;
    int encoding = word ? bits : bits & 0xffff;
    int count = 0;
    for (Instruction line : TABLE.instructions()) {
      if (line.length() == (word ? 4 : 2) && line.matches(encoding)) {
        count++;
      }
    }
    boolean legal = decoder.decode(bits) != Packed.ILLEGAL;
    if (count != (legal ? 1 : 0)) {
      throw new AssertionError(count + " lines match " + Integer.toHexString(encoding) + ", legal: " + legal);
    }
  }
}
