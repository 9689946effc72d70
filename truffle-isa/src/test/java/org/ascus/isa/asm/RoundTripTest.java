package org.ascus.isa.asm;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.ascus.isa.decode.Decoder;
import org.ascus.isa.decode.Packed;
import org.ascus.isa.riscv.RiscvDialect;
import org.ascus.isa.riscv.RiscvTable;
import org.ascus.isa.table.Instruction;
import org.ascus.isa.table.InstructionTable;
import org.junit.jupiter.api.Test;

class RoundTripTest {
  private static final long PC = 0x8000_0000L;
  private static final InstructionTable TABLE = RiscvTable.get();

  private final Assembler assembler = RiscvDialect.assembler();
  private final Disassembler disassembler = RiscvDialect.disassembler();
  private final Decoder decoder = new Decoder(TABLE, TABLE.extensions());

  @Test
  void everyLineSurvivesDisassemblyAndAssembly() {
    Random random = new Random(4711);
    List<String> differences = new ArrayList<>();
    for (Instruction line : TABLE.instructions()) {
      for (int i = 0; i < 100; i++) {
        int bits = i == 0 ? line.match() : line.match() | random.nextInt() & line.layout().operandMask();
        if (!line.matches(bits)) {
          continue;
        }
        String text = disassembler.disassemble(PC, bits);
        byte[] bytes = assembler.assemble(text, PC).bytes();
        int again = 0;
        for (int b = 0; b < bytes.length; b++) {
          again |= (bytes[b] & 0xff) << 8 * b;
        }
        if (bytes.length != line.length() || again != bits) {
          differences.add(line.name() + " " + Integer.toHexString(bits) + ": " + text);
        }
      }
    }
    assertThat(differences).isEmpty();
  }

  @Test
  void everyLineEncodesTheOperandsItDecodesTo() {
    Random random = new Random(4712);
    for (Instruction line : TABLE.instructions()) {
      for (int i = 0; i < 50; i++) {
        int bits = line.match() | random.nextInt() & line.layout().operandMask();
        if (!line.matches(bits)) {
          continue;
        }
        long packed = decoder.decode(bits);
        assertThat(Packed.op(packed)).as(line.name()).isEqualTo(line.baseIndex());
        assertThat(
                line.layout()
                    .encode(Packed.rd(packed), Packed.rs1(packed), Packed.rs2(packed), Packed.imm(packed)))
            .as(line.name())
            .hasValue(bits & ~line.match() | bits & line.match() & line.layout().operandMask());
      }
    }
  }

  @Test
  void everyLineHasATextOfItsOwn() {
    for (Instruction line : TABLE.instructions()) {
      int bits = line.match() | 0x0420_8520 & line.layout().operandMask();
      bits = line.matches(bits) ? bits : line.match() | 0x0c5c & line.layout().operandMask();
      assertThat(line.matches(bits)).as(line.name()).isTrue();
      assertThat(disassembler.disassemble(PC, bits))
          .as(line.name())
          .matches("\\Q" + line.name() + "\\E(\\.(aq|rl|aqrl))?( .*)?");
    }
  }

  @Test
  void whatNoMnemonicExpressesIsData() {
    assertThat(disassembler.disassemble(0, 0)).isEqualTo(".2byte 0x0");
    assertThat(disassembler.disassemble(0, -1)).isEqualTo(".4byte 0xffffffff");
    assertThat(disassembler.disassemble(0, 0x8ff0_000f)).as("fence with fm").isEqualTo(".4byte 0x8ff0000f");
    assertThat(disassembler.disassemble(0, 0x00c5_d553)).as("rounding mode 5").isEqualTo(".4byte 0xc5d553");
    assertThat(disassembler.disassemble(0, 0x0100_000f)).isEqualTo("pause");
    assertThat(disassembler.disassemble(0, 0x8330_000f)).isEqualTo("fence.tso");
  }
}
