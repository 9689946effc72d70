package org.ascus.isa.table;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.ascus.isa.riscv.RiscvTable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class InstructionTableTest {
  private static final String ADDI = "addi ; simm[11:0] rs1 000 rd 0010011 ; I ; rd,rs1,imm ; i ; sem=add\n";

  @Test
  void linesAreNumberedFromOneAndCompressedOnesComeLast() {
    InstructionTable table = RiscvTable.get();
    boolean compressed = false;
    for (int i = 1; i <= table.size(); i++) {
      Instruction line = table.get(i);
      assertThat(line.index()).isEqualTo(i);
      assertThat(table.find(line.name())).contains(line);
      assertThat(line.isCompressed()).as(line.name()).isEqualTo(line.length() == 2);
      assertThat(compressed && !line.isCompressed()).as(line.name() + " after compressed lines").isFalse();
      compressed = line.isCompressed();
    }
  }

  @Test
  void operandsFollowFromTheShape() {
    InstructionTable table = RiscvTable.get();
    Instruction store = table.find("fsd").orElseThrow();
    assertThat(store.writesRd()).isFalse();
    assertThat(store.rs1IsFp()).isFalse();
    assertThat(store.rs2IsFp()).isTrue();
    assertThat(store.accessBytes()).isEqualTo(8);
    assertThat(store.is(Flags.STORE | Flags.FP)).isTrue();
    assertThat(table.find("lr.w").orElseThrow().readsRs2()).isFalse();
    assertThat(table.find("ecall").orElseThrow().readsRs1()).isFalse();
    assertThat(table.find("sfence.vma").orElseThrow().readsRs2()).isTrue();
    assertThat(table.find("csrrwi").orElseThrow().readsRs1()).isFalse();
    assertThat(table.find("fcvt.w.d").orElseThrow().rdIsFp()).isFalse();
    assertThat(table.find("lbu").orElseThrow().is(Flags.UNSIGNED)).isTrue();
    assertThat(table.find("c.ldsp").orElseThrow().accessBytes()).isEqualTo(8);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      textBlock =
          """
          x ; rs2 rs1 000 rd 0110011 ; R ; rd ; i              | the pattern has 25 bits
          x ; 0000000 rs2 rs1 000 rq 0110011 ; R ; rd ; i      | unknown field rq
          x ; 0000002 rs2 rs1 000 rd 0110011 ; R ; rd ; i      | bad bits 0000002
          x ; simm[11-0] rs1 000 rd 0010011 ; I ; rd ; i       | bad range 11-0
          x ; 0000000 rs2 rs1 000 rd 0110011 ; R ; rd          | expected 5 or 6 columns
          x ; 0000000 rs2 rs1 000 rd 0110011 ; Q ; rd ; i      | Q
          x ; 0000000 rs2 rs1 000 rd 0110011 ; R ; rd ; i ; ++ | unknown option ++
          x ; 1000 rs1 00000 10 ; = nosuch ; rs1 ; c           | no instruction nosuch above this line
          addi ; 0000000 rs2 rs1 000 rd 0110011 ; R ; rd ; i   | a second addi
          """)
  void errorsNameSourceAndLine(String line, String problem) {
    assertThatThrownBy(() -> InstructionTable.parse("test.isa", "# head\n" + ADDI + line + "\n"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("test.isa:3: ")
        .hasMessageContaining(problem);
  }
}
