package org.ascus.isa.asm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.ascus.isa.riscv.RiscvDialect;
import org.ascus.isa.riscv.semantics.RvInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AssemblerTest {
  private final Assembler assembler = RiscvDialect.assembler();

  private List<Integer> words(String source) {
    return words(assembler.assemble(source, 0x8000_0000L));
  }

  private static List<Integer> words(Program program) {
    ByteBuffer buffer = ByteBuffer.wrap(program.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    List<Integer> words = new ArrayList<>();
    while (buffer.remaining() >= 4) {
      words.add(buffer.getInt());
    }
    return words;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          add a0,a1,a2              | 0x00c58533
          lb a0, (t0)               | 0x00028503
          ld a0, (4+4)(x5)          | 0x0082b503
          sd ra, -8(sp)             | 0xfe113c23
          j .                       | 0x0000006f
          lr.w.aq a0,(a1)           | 0x1405a52f
          sc.d.aqrl a0,a2,(a1)      | 0x1ec5b52f
          csrr a0, mhartid          | 0xf1402573
          csrwi pmpaddr63, 31       | 0x3effd073
          csrs 0x30a, t0            | 0x30a2a073
          fence                     | 0x0ff0000f
          fence rw,w                | 0x0310000f
          fence.tso                 | 0x8330000f
          sfence.vma                | 0x12000073
          fadd.s fa0,fa1,fa2        | 0x00c5f553
          fcvt.w.d a0,fa0,rtz       | 0xc2051553
          fcvt.d.w fa0,a0           | 0xd2050553
          fmadd.d f1,f2,f3,f31,rup  | 0xfa3130c3
          jalr a0, 4(a1)            | 0x00458567
          jalr a0, a1               | 0x00058567
          jalr a0, a1, 4            | 0x00458567
          ret                       | 0x00008067
          li a0, 'a'                | 0x06100513
          addi a0, a0, ~7           | 0xff850513
          lui a0, 0xfffff           | 0xfffff537
          mv s0, fp                 | 0x00040413
          add a0, a0, 7             | 0x00750513
          csrw mscratch, 7          | 0x3403d073
          pause                     | 0x0100000f
          cbo.zero (a0)             | 0x0045200f
          """)
  void encodes(String source, String word) {
    assertThat(words(source)).containsExactly(Integer.parseUnsignedInt(word.substring(2), 16));
  }

  @Test
  void labelsReachBothWays() {
    Program program =
        assembler.assemble(
            """
            start: 1: beqz a0, 1f   # forward
            bnez a0, 1b             // backward
            1: bgt a0, a1, start /* two
            lines */
            la a0, end
            call end
            end:
            """,
            0x8000_0000L);
    assertThat(words(program))
        .containsExactly(0x0005_0463, 0xfe05_1ee3, 0xfea5_cce3, 0x0000_0517, 0x00c5_0513, 0x0040_00ef);
    assertThat(program.symbol("end")).isEqualTo(0x8000_0018L);
  }

  @Test
  void laReachesBelowAndAcrossThePageHalf() {
    for (int distance : new int[] {0x7f8, 0x800, 0x1000, 0x12_3ffc}) {
      Program program = assembler.assemble("low: .space " + distance + "\nla a0, low\nla a1, high\n.space "
          + distance + "\nhigh:", 0x8000_0000L);
      List<Integer> words = words(program);
      for (int i = 0; i < 2; i++) {
        int auipc = words.get(distance / 4 + 2 * i);
        int addi = words.get(distance / 4 + 2 * i + 1);
        long address = 0x8000_0000L + distance + 8 * i + (auipc & 0xffff_f000) + (addi >> 20);
        assertThat(address).isEqualTo(program.symbol(i == 0 ? "low" : "high"));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      longs = {
        0, 1, -1, 2047, 2048, -2048, -2049, 0x7fff_f800L, 0x7fff_ffffL, 0x8000_0000L, -0x8000_0000L, 0xffff_ffffL,
        0x1_0000_0000L, 0x1234_5678_9abc_def0L, Long.MAX_VALUE, Long.MIN_VALUE, 0xdead_beef_0000_0000L, 0x8020_0000L
      })
  void liLoadsEveryConstant(long value) {
    long a0 = 0;
    for (int word : words("li a0, " + value)) {
      long imm = word >> 20;
      switch (word & 0x707f) {
        case 0x13 -> a0 = RvInteger.add((word >>> 15 & 31) == 0 ? 0 : a0, imm);
        case 0x1b -> a0 = RvInteger.addw(a0, imm);
        case 0x1013 -> a0 = RvInteger.sll(a0, imm);
        default -> {
          assertThat(word & 0x7f).isEqualTo(0x37);
          a0 = word & 0xffff_f000;
        }
      }
    }
    assertThat(a0).isEqualTo(value);
  }

  @Test
  void dataDirectivesPlaceBytes() {
    Program program =
        assembler.assemble(
            """
            .byte 1, -1, 'a', ','; .half 0x1234
            .balign 4
            .word end - start, 0xffffffff
            start: .asciz "a,\\n\\"#"
            .ascii ";"
            end: .org 0x1020
            .dword 1 << 63 | 3
            .equ x, 5 ; y = x * 2
            .zero y - 9, 7
            """,
            0x1000);
    assertThat(program.bytes())
        .startsWith(1, 255, 'a', ',', 0x34, 0x12, 0, 0, 7, 0, 0, 0, 255, 255, 255, 255)
        .contains('a', ',', '\n', '"', '#', 0, ';')
        .endsWith(3, 0, 0, 0, 0, 0, 0, 0x80, 7)
        .hasSize(0x29);
  }

  @Test
  void codeIsAlignedWithNops() {
    assertThat(words("c.nop\n.align 4\nret"))
        .containsExactly(0x0001_0001, 0x13, 0x13, 0x13, 0x8067);
  }

  @Test
  void macrosExpand() {
    assertThat(words(
            """
            .macro save reg, slot
              sd \\reg, \\slot*8(sp)
            l\\@: j l\\@
            .endm
            save ra, 1
            .rept 2
            save s0, (1+1)
            .endr
            """))
        .containsExactly(0x0011_3423, 0x6f, 0x0081_3823, 0x6f, 0x0081_3823, 0x6f);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          addi a0,a0,2048   | out of range
          addi a0,a0        | expected ','
          sub a0,a0,7       | 7 is not an integer register
          fadd.s a0,a0,a0   | a0 is not a floating-point register
          frob a0           | unknown instruction frob
          j nowhere         | undefined symbol nowhere
          li a0, later      | undefined symbol later
          .frob             | unknown directive .frob
          lw a0, 0(a1) a2   | unexpected 'a2'
          beq a0,a1,.+0x1000 | out of range
          c.addi a0, 0x20   | out of range
          c.lw a0, 2(a1)    | misaligned
          csrr a0, nosuch   | undefined symbol nosuch
          .byte 256         | does not fit 1 bytes
          .ascii "abc       | unfinished
          a: a:             | a second definition of a
          slli a0,a0,64     | out of range
          """)
  void errorsNameLineAndText(String statement, String problem) {
    assertThatThrownBy(() -> assembler.assemble("nop\n" + statement + "\nlater:", 0))
        .isInstanceOf(AssemblyException.class)
        .hasMessageStartingWith("line 2: " + statement)
        .hasMessageContaining(problem);
  }
}
