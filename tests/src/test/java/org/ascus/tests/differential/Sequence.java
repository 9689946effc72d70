package org.ascus.tests.differential;

import java.util.List;
import org.ascus.isa.asm.Disassembler;
import org.ascus.isa.riscv.RiscvDialect;

/**
 * Some instructions and the state that they start from.
 *
 * @param code encodings in order, a 16-bit one zero-extended
 * @param xWindow index into the pool of integers of the value of x0's slot; x1 has the next one, and so on
 * @param fWindow the same for floating-point registers
 * @param fcsr initial value
 * @param floatingPoint whether mstatus.FS is on
 * @param s1Offset bytes that s1 is beyond an aligned address
 */
record Sequence(List<Integer> code, int xWindow, int fWindow, int fcsr, boolean floatingPoint, int s1Offset) {
  static int length(int bits) {
    return (bits & 3) == 3 ? 4 : 2;
  }

  int bytes() {
    return code.stream().mapToInt(Sequence::length).sum();
  }

  /** One instruction a line, with addresses. */
  String listing(long address) {
    Disassembler disassembler = RiscvDialect.disassembler();
    StringBuilder out = new StringBuilder();
    long pc = address;
    for (int bits : code) {
      out.append(String.format("  %x: %08x  %s%n", pc, bits, disassembler.disassemble(pc, bits)));
      pc += length(bits);
    }
    out.append(String.format("  fcsr=%02x FS=%s s1 offset %d%n", fcsr, floatingPoint ? "on" : "off", s1Offset));
    return out.toString();
  }
}
