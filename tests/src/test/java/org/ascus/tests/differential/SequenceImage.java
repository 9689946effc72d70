package org.ascus.tests.differential;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.ascus.isa.asm.Program;
import org.ascus.isa.riscv.RiscvDialect;

/**
 * The bare-metal program for the {@code virt} board. It runs sequences one after the other and prints on the UART, a
 * line each in 16 hexadecimal digits, one number for everything that the sequence left behind, or in verbose mode all
 * of it word by word; then it powers off.
 */
final class SequenceImage {
  static final long ORIGIN = 0x8000_0000L;

  /** Result words: x0 to x31, f0 to f31, fcsr, mscratch, mstatus.FS, then mcause, mtval and mepc of each trap. */
  private static final int TRAP_WORDS = 67;

  private static final int TRAPS = 24;
  static final int RESULT_WORDS = TRAP_WORDS + 3 * TRAPS;
  static final int SCRATCH_WORDS = 128;

  private static final int AREA = 0x2000;
  private static final int TEMPLATE = 0x3000;
  private static final int SCRATCH = 0x5000 - SCRATCH_WORDS * 4;
  private static final int INTEGERS = 0x6000;
  private static final int FLOATS = 0x10000;
  private static final int DESCRIPTORS = 0x20000;
  private static final int DESCRIPTOR_BYTES = 48;

  private final List<Sequence> sequences;
  private final long[] addresses;
  private final ByteBuffer bytes;
  private final Program harness;

  SequenceImage(SequenceGenerator generator, long seed, int count) {
    harness = RiscvDialect.assembler().assemble(HARNESS, ORIGIN);
    long[] integers = generator.integers();
    long[] floats = generator.floats();
    sequences = new ArrayList<>(count);
    addresses = new long[count];
    int codeStart = DESCRIPTORS + DESCRIPTOR_BYTES * count;
    int end = codeStart;
    for (int i = 0; i < count; i++) {
      Sequence sequence = generator.next();
      sequences.add(sequence);
      addresses[i] = ORIGIN + end;
      end += sequence.bytes() + 16;
    }
    bytes = ByteBuffer.allocate(end).order(ByteOrder.LITTLE_ENDIAN);
    bytes.put(0, harness.bytes());
    Random random = new Random(seed);
    for (int i = 0; i < SCRATCH_WORDS; i++) {
      bytes.putLong(TEMPLATE + 8 * i, i % 3 == 0 ? floats[i] : random.nextLong());
    }
    for (int i = 0; i < integers.length; i++) {
      bytes.putLong(INTEGERS + 8 * i, integers[i]);
      bytes.putLong(FLOATS + 8 * i, floats[i]);
    }
    for (int i = 0; i < count; i++) {
      descriptor(i);
      code(sequences.get(i), (int) (addresses[i] - ORIGIN));
    }
  }

  private void descriptor(int i) {
    Sequence sequence = sequences.get(i);
    int at = DESCRIPTORS + DESCRIPTOR_BYTES * i;
    bytes.putLong(at, addresses[i]);
    bytes.putLong(at + 8, ORIGIN + INTEGERS + 8L * sequence.xWindow());
    bytes.putLong(at + 16, ORIGIN + FLOATS + 8L * sequence.fWindow());
    bytes.putLong(at + 24, sequence.fcsr());
    bytes.putLong(at + 32, sequence.floatingPoint() ? 1 : 0);
    bytes.putLong(at + 40, sequence.s1Offset());
  }

  /** The harness calls a sequence through x1, which the first instruction loads and the last ones save. */
  private void code(Sequence sequence, int start) {
    int at = start;
    bytes.putInt(at, Fixed.LOAD_X1);
    at += 4;
    for (int bits : sequence.code()) {
      if (Sequence.length(bits) == 2) {
        bytes.putShort(at, (short) bits);
      } else {
        bytes.putInt(at, bits);
      }
      at += Sequence.length(bits);
    }
    bytes.putInt(at, Fixed.SAVE_X1);
    bytes.putInt(at + 4, Fixed.LOAD_RETURN);
    bytes.putInt(at + 8, Fixed.RETURN);
  }

  private static final class Fixed {
    static final int LOAD_X1 = word("ld x1, -24(x31)");
    static final int SAVE_X1 = word("sd x1, 8(x31)");
    static final int LOAD_RETURN = word("ld x1, -32(x31)");
    static final int RETURN = word("jr x1");

    private static int word(String line) {
      byte[] encoding = RiscvDialect.assembler().assemble(line, 0).bytes();
      return ByteBuffer.wrap(encoding).order(ByteOrder.LITTLE_ENDIAN).getInt();
    }
  }

  int count() {
    return sequences.size();
  }

  /**
   * The image for a run.
   *
   * @param first index of the first sequence to run
   * @param count how many
   * @param repeats how often each of them runs; the last time counts
   */
  byte[] bytes(int first, int count, int repeats, boolean verbose) {
    ByteBuffer copy = ByteBuffer.wrap(bytes.array().clone()).order(ByteOrder.LITTLE_ENDIAN);
    copy.putLong(AREA - 8, ORIGIN + DESCRIPTORS + (long) DESCRIPTOR_BYTES * first);
    copy.putLong(AREA - 16, count);
    copy.putLong(AREA - 32, harness.symbol("finish"));
    copy.putLong(AREA - 48, repeats);
    copy.putLong(AREA - 56, verbose ? 1 : 0);
    return copy.array();
  }

  String listing(int index) {
    return sequences.get(index).listing(addresses[index] + 4);
  }

  /** What the n-th word of a verbose run is. */
  static String label(int word) {
    if (word >= RESULT_WORDS) {
      return "scratch+" + 8 * (word - RESULT_WORDS);
    }
    if (word >= TRAP_WORDS) {
      int trap = word - TRAP_WORDS;
      return "trap " + trap / 3 + " " + List.of("mcause", "mtval", "mepc").get(trap % 3);
    }
    return word < 32 ? "x" + word : word < 64 ? "f" + (word - 32) : List.of("fcsr", "mscratch", "FS").get(word - 64);
  }

  private static String each(String prefix, int from, int to, String format) {
    StringBuilder out = new StringBuilder();
    for (int i = from; i <= to; i++) {
      out.append(prefix).append(String.format(format, i, 8 * i)).append('\n');
    }
    return out.toString();
  }

  /** Control words are below the results, at negative offsets from t6; see the uses. */
  private static final String HARNESS =
      """
      .equ AREA, 0x80002000
      .equ TEMPLATE, 0x80003000
      .equ SCRATCH, %1$s
      .equ CURSOR, -8
      .equ LEFT, -16
      .equ X1, -24
      .equ FINISH, -32
      .equ TODO, -40
      .equ REPEATS, -48
      .equ VERBOSE, -56
      .equ TRAP, -64
      .equ SAVE0, -72
      .equ SAVE1, -80
      .equ DUMMY, -88
      start:
        la t0, handler
        csrw mtvec, t0
        csrw mie, zero
        li t6, AREA
      next_sequence:
        ld t0, LEFT(t6)
        beqz t0, power_off
        ld t0, REPEATS(t6)
        sd t0, TODO(t6)
      again:
        mv t0, t6
        li t1, %2$d
      clear:
        sd zero, 0(t0)
        addi t0, t0, 8
        addi t1, t1, -1
        bnez t1, clear
        li t0, TEMPLATE
        li t1, SCRATCH
        li t2, %3$d
      copy:
        ld t3, 0(t0)
        ld t4, 8(t0)
        sd t3, 0(t1)
        sd t4, 8(t1)
        addi t0, t0, 16
        addi t1, t1, 16
        addi t2, t2, -2
        bnez t2, copy
        addi t0, t6, 536
        sd t0, TRAP(t6)
        addi t0, t6, DUMMY
        sc.w zero, zero, (t0)
        csrw mscratch, zero
        li t1, 0x6000
        csrs mstatus, t1
        ld t0, CURSOR(t6)
        ld t2, 16(t0)
      %4$s
        ld t2, 24(t0)
        csrw fcsr, t2
        ld t2, 32(t0)
        csrc mstatus, t1
        beqz t2, fp_off
        csrs mstatus, t1
      fp_off:
        ld t1, 8(t0)
        ld t2, 8(t1)
        sd t2, X1(t6)
        li sp, SCRATCH + 256
        li s0, SCRATCH + 256
        ld s1, 40(t0)
        addi s1, s1, 256
        add s1, s1, s0
        ld x1, 0(t0)
        mv x30, t1
      %5$s
        jalr x1, 0(x1)
      .balign 4
      handler:
        sd x30, SAVE0(t6)
        sd x29, SAVE1(t6)
        ld x30, TRAP(t6)
        csrr x29, mcause
        sd x29, 0(x30)
        addi x29, x29, -3
        beqz x29, no_value
        csrr x29, mtval
      no_value:
        sd x29, 8(x30)
        csrr x29, mepc
        sd x29, 16(x30)
        addi x30, x30, 24
        sd x30, TRAP(t6)
        lhu x30, 0(x29)
        andi x30, x30, 3
        addi x30, x30, -3
        sltiu x30, x30, 1
        slli x30, x30, 1
        addi x30, x30, 2
        add x29, x29, x30
        csrw mepc, x29
        ld x29, SAVE1(t6)
        ld x30, SAVE0(t6)
        mret
      finish:
      %6$s
        csrr t0, mstatus
        li t1, 0x6000
        and t0, t0, t1
        sd t0, 528(t6)
        csrs mstatus, t1
      %7$s
        csrr t0, fcsr
        sd t0, 512(t6)
        csrr t0, mscratch
        sd t0, 520(t6)
        ld t0, TODO(t6)
        addi t0, t0, -1
        sd t0, TODO(t6)
        bnez t0, again
        li a0, 0
        li a1, 0x9e3779b97f4a7c15
        mv s0, t6
        li s1, %2$d
        call digest
        li s0, SCRATCH
        li s1, %3$d
        call digest
        ld t0, VERBOSE(t6)
        bnez t0, next_descriptor
        call print
      next_descriptor:
        ld t0, CURSOR(t6)
        addi t0, t0, 48
        sd t0, CURSOR(t6)
        ld t0, LEFT(t6)
        addi t0, t0, -1
        sd t0, LEFT(t6)
        j next_sequence
      power_off:
        li t0, 0x100000
        li t1, 0x5555
        sw t1, 0(t0)
        j power_off

      # Adds s1 words at s0 to the hash in a0; in verbose mode prints them.
      digest:
        mv s2, ra
        ld s3, VERBOSE(t6)
        bnez s3, digest_print
      digest_next:
        ld t0, 0(s0)
        xor a0, a0, t0
        mul a0, a0, a1
        srli t0, a0, 29
        xor a0, a0, t0
        addi s0, s0, 8
        addi s1, s1, -1
        bnez s1, digest_next
        jr s2
      digest_print:
        ld a0, 0(s0)
        call print
        addi s0, s0, 8
        addi s1, s1, -1
        bnez s1, digest_print
        jr s2

      # Prints a0 and a line feed.
      print:
        li t0, 0x10000000
        li t1, 60
        li t5, 10
      digit:
        srl t2, a0, t1
        andi t2, t2, 15
        bltu t2, t5, decimal
        addi t2, t2, 39
      decimal:
        addi t2, t2, 48
      wait:
        lbu t3, 5(t0)
        andi t3, t3, 0x20
        beqz t3, wait
        sb t2, 0(t0)
        addi t1, t1, -4
        bgez t1, digit
        sb t5, 0(t0)

        ret
      """
          .formatted(
              "0x" + Long.toHexString(ORIGIN + SCRATCH),
              RESULT_WORDS,
              SCRATCH_WORDS,
              each("  ", 0, 31, "fld f%d, %d(t2)"),
              each("  ", 3, 7, "ld x%d, %d(x30)") + each("  ", 10, 30, "ld x%d, %d(x30)"),
              each("  ", 2, 30, "sd x%d, %d(t6)"),
              each("  ", 0, 31, "fsd f%d, 256+%2$d(t6)"));
}
