package org.ascus.tests.differential;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.ascus.isa.asm.Program;
import org.ascus.isa.riscv.RiscvDialect;

/**
 * The bare-metal program for the {@code virt} board that runs privileged trials, one after the other, and prints for
 * each one number for everything that it left behind, or all of that word by word; then it powers off.
 */
final class PrivilegedImage {
  static final int MACHINE_VECTORS = 0x400;
  static final int SUPERVISOR_VECTORS = 0x600;

  private static final int LOG_ENTRIES = 48;
  private static final int LOG_ENTRY_WORDS = 5;

  /** Registers, log, CSRs. */
  private static final List<String> CSRS =
      List.of(
          "mstatus", "mcause", "mtval", "medeleg", "mideleg", "mie", "mip", "mtvec", "stvec", "sepc", "scause", "stval",
          "sscratch", "satp", "mcounteren", "scounteren", "menvcfg", "senvcfg", "stimecmp", "pmpcfg0", "pmpcfg2",
          "pmpaddr0", "pmpaddr1", "pmpaddr2", "pmpaddr3", "pmpaddr4", "pmpaddr5", "pmpaddr6", "pmpaddr7", "pmpaddr8",
          "pmpaddr9", "pmpaddr10", "pmpaddr11", "pmpaddr12", "pmpaddr13", "pmpaddr14", "pmpaddr15");

  private static final int LOG_WORDS = LOG_ENTRIES * LOG_ENTRY_WORDS + 4 * LOG_ENTRY_WORDS;
  private static final int REGISTERS = LOG_WORDS;
  private static final int CSR_WORDS = REGISTERS + 15;
  private static final int RESULT_WORDS = CSR_WORDS + CSRS.size() + 1;
  private static final int WINDOW_WORDS = (PrivilegedMemory.LOW_WINDOW + 4096 - PrivilegedMemory.HIGH_WINDOW) / 8;

  private final List<PrivilegedTrial> trials = new ArrayList<>();
  private final String source;

  /** {@code locks} is code that locks PMP entries, or nothing. */
  PrivilegedImage(Random random, int count, boolean extended) {
    String locks = random.nextInt(4) == 0 ? "" : PrivilegedPmp.lock(random);
    StringBuilder text = new StringBuilder(harness(locks));
    for (int i = 0; i < count; i++) {
      PrivilegedTrial trial = new PrivilegedTrial(i, random, extended);
      trials.add(trial);
      text.append(trial.text);
    }
    text.append(".balign 8\ndescriptors:\n");
    for (PrivilegedTrial trial : trials) {
      text.append("  .dword %1$s, %1$s_ptes, %2$d\n".formatted(trial.name, trial.memory.entries.size()));
    }
    source = text.append("end:\n").toString();
  }

  int count() {
    return trials.size();
  }

  /** The image that runs {@code count} trials from {@code first} on, each {@code repeats} times. */
  byte[] bytes(int first, int count, int repeats, boolean verbose) {
    String parameters =
        ".equ FIRST, %d\n.equ COUNT, %d\n.equ REPEATS, %d\n.equ VERBOSE, %d\n"
            .formatted(first, count, repeats, verbose ? 1 : 0);
    Program program = RiscvDialect.assembler().assemble(parameters + source, PrivilegedMemory.SAFE);
    if (program.bytes().length > PrivilegedMemory.ROOT39 - PrivilegedMemory.SAFE) {
      throw new IllegalStateException("too many trials for one image");
    }
    return program.bytes();
  }

  /** What a trial is, for a report. */
  String listing(int index) {
    PrivilegedTrial trial = trials.get(index);
    StringBuilder out = new StringBuilder(trial.text);
    for (int i = 0; i < PrivilegedPmp.ENTRIES; i++) {
      if (trial.pmp.config[i] != 0) {
        out.append("pmp %d: %02x %x%n".formatted(i, trial.pmp.config[i], trial.pmp.address[i]));
      }
    }
    return out.toString();
  }

  /** What the n-th word of a verbose run is. */
  String label(int trial, int word) {
    if (word < REGISTERS) {
      List<String> parts = List.of("vector", "status", "cause", "epc", "tval");
      return "trap " + word / LOG_ENTRY_WORDS + " " + parts.get(word % LOG_ENTRY_WORDS);
    }
    if (word < CSR_WORDS) {
      return word == REGISTERS ? "ra" : "x" + (word - REGISTERS + 5);
    }
    if (word < RESULT_WORDS) {
      int index = word - CSR_WORDS;
      return index < CSRS.size() ? CSRS.get(index) : "fcsr";
    }
    int index = word - RESULT_WORDS;
    List<Long> entries = List.copyOf(trials.get(trial).memory.entries.keySet());
    if (index < entries.size()) {
      return "pte at %x".formatted(entries.get(index));
    }
    index -= entries.size();
    int at = 8 * (index % WINDOW_WORDS);
    at = at < PrivilegedMemory.LOW_WINDOW ? at : at - PrivilegedMemory.LOW_WINDOW + PrivilegedMemory.HIGH_WINDOW;
    return "memory %x".formatted(PrivilegedMemory.DATA + index / WINDOW_WORDS * 0x1000L + at);
  }

  private static String vectors(String prefix, String scratch) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < 16; i++) {
      out.append("  j ").append(prefix).append(i).append('\n');
    }
    for (int i = 0; i < 16; i++) {
      out.append("%1$s%2$d:\n  li %3$s, %2$d\n  j %1$s_trap\n".formatted(prefix, i, scratch));
    }
    return out.toString();
  }

  private static String saveCsrs() {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < CSRS.size(); i++) {
      out.append("  csrr x29, ").append(CSRS.get(i)).append('\n');
      out.append(CSRS.get(i).equals("menvcfg") ? "  bclri x29, x29, 61\n" : "");
      out.append("  sd x29, ").append(8 * i).append("(x28)\n");
    }
    out.append("  li x29, 0x6000\n  csrs mstatus, x29\n  csrr x29, fcsr\n");
    return out.append("  sd x29, ").append(8 * CSRS.size()).append("(x28)\n").toString();
  }

  private static String saveRegisters() {
    StringBuilder out = new StringBuilder("  sd ra, 0(x28)\n");
    for (int i = 6; i < 20; i++) {
      out.append("  sd x").append(i).append(", ").append(8 * (i - 5)).append("(x28)\n");
    }
    return out.toString();
  }

  private static String harness(String locks) {
    return HARNESS
        .replace("$LOCKS", locks)
        .replace("$MVECTORS", vectors("m", "x28"))
        .replace("$SVECTORS", vectors("s", "x20"))
        .replace("$SAVE_CSRS", saveCsrs())
        .replace("$SAVE_REGISTERS", saveRegisters())
        .replace("$LOG_LIMIT", Integer.toString(LOG_ENTRIES * LOG_ENTRY_WORDS * 8))
        .replace("$REGISTERS", Integer.toString(8 * REGISTERS))
        .replace("$CSR_WORDS", Integer.toString(8 * CSR_WORDS))
        .replace("$RESULT_WORDS", Integer.toString(RESULT_WORDS))
        .replace("$DATA_PAGES", Integer.toString(PrivilegedMemory.DATA_PAGES));
  }

  /**
   * Reserved registers: x31 next entry of the log, x30 mstatus.MPRV, x27 and x26 end of the step by physical and by
   * U-mode address, x25 where M mode goes on after it, x24 end of the log, x23 how S mode gives up.
   */
  private static final String HARNESS =
      """
      .equ LOG, 0x80304000
      .equ VARIABLES, 0x80308000
      .equ DATA, 0x80600000
      .equ CURSOR, 0
      .equ LEFT, 8
      .equ TODO, 16
      start:
        csrw mie, zero
        csrr t0, mhartid
        beqz t0, 2f
      1:
        wfi
        j 1b
      2:
        li t0, 0x2004000
        li t1, 1 << 56
        sd t1, 0(t0)
        li s10, VARIABLES
        la t0, descriptors
        li t1, FIRST
        li t2, 24
        mul t1, t1, t2
        add t0, t0, t1
        sd t0, CURSOR(s10)
        li t1, COUNT
        sd t1, LEFT(s10)
      $LOCKS
        j next_trial
      .org 0x80000400
      $MVECTORS
      .org 0x80000600
      $SVECTORS
      m_trap:
        csrrc x29, mstatus, x30
        sd x28, 0(x31)
        sd x29, 8(x31)
        csrr x28, mcause
        sd x28, 16(x31)
        csrr x29, mepc
        sd x29, 24(x31)
        li x29, 3
        bne x28, x29, 1f
        csrw mtval, zero
      1:
        csrr x29, mtval
        sd x29, 32(x31)
        addi x31, x31, 40
        bgeu x31, x24, m_next
        bltz x28, m_interrupt
        # What could not be fetched cannot be skipped.
        li x29, 1
        bleu x28, x29, m_next
        li x29, 12
        beq x28, x29, m_next
        csrr x29, mepc
        sub x28, x29, x27
        sltiu x28, x28, 16
        bnez x28, m_next
        sub x28, x29, x26
        sltiu x28, x28, 16
        bnez x28, m_next
        la x28, s_exit
        sub x28, x29, x28
        sltiu x28, x28, 16
        bnez x28, m_next
        addi x29, x29, 4
        csrw mepc, x29
        j m_back
      m_next:
        jr x25
      m_interrupt:
        li x29, 1
        sll x29, x29, x28
        csrc mie, x29
      m_back:
        ld x28, -32(x31)
        csrw mstatus, x28
        mret

      s_trap:
        sd x20, 0(x31)
        csrr x20, sstatus
        sd x20, 8(x31)
        csrr x20, scause
        sd x20, 16(x31)
        csrr x21, sepc
        sd x21, 24(x31)
        li x21, 3
        bne x20, x21, 1f
        csrw stval, zero
      1:
        csrr x21, stval
        sd x21, 32(x31)
        addi x31, x31, 40
        bgeu x31, x24, s_exit
        bltz x20, s_interrupt
        li x21, 1
        bleu x20, x21, s_exit
        li x21, 12
        beq x20, x21, s_exit
        csrr x21, sepc
        sub x20, x21, x27
        sltiu x20, x20, 16
        bnez x20, s_exit
        sub x20, x21, x26
        sltiu x20, x20, 16
        bnez x20, s_exit
        addi x21, x21, 4
        csrw sepc, x21
        sret
      s_exit:
        bnez x23, 1f
        ecall
      1:
        ebreak
        nop
      s_interrupt:
        li x21, 1
        sll x21, x21, x20
        csrc sie, x21
        sret
        j s_exit

      next_trial:
        li s10, VARIABLES
        ld t0, LEFT(s10)
        beqz t0, power_off
        li t0, REPEATS
        sd t0, TODO(s10)
      again:
        # An empty log, the tables, and memory as it was.
        li t0, LOG
        li t1, $RESULT_WORDS
      1:
        sd zero, 0(t0)
        addi t0, t0, 8
        addi t1, t1, -1
        bnez t1, 1b
        ld t2, CURSOR(s10)
        ld t0, 8(t2)
        ld t1, 16(t2)
      2:
        ld t3, 0(t0)
        ld t4, 8(t0)
        sd t4, 0(t3)
        addi t0, t0, 16
        addi t1, t1, -1
        bnez t1, 2b
        li t0, DATA
        li t1, $DATA_PAGES
        li t4, 0x9e3779b97f4a7c15
        li t5, 0x8067
      3:
        li t2, 16
        mv t3, t0
      4:
        mul t6, t3, t4
        sd t6, 0(t3)
        addi t3, t3, 8
        addi t2, t2, -1
        bnez t2, 4b
        sd t5, 0(t3)
        li t2, 8
        li t6, 0xfc0
        add t3, t0, t6
      5:
        mul t6, t3, t4
        sd t6, 0(t3)
        addi t3, t3, 8
        addi t2, t2, -1
        bnez t2, 5b
        mv t0, t3
        addi t1, t1, -1
        bnez t1, 3b
        fence.i
        li x31, LOG
        li x24, LOG + $LOG_LIMIT
        addi t0, x31, 0
        sc.d zero, zero, (t0)
        ld t2, CURSOR(s10)
        ld t0, 0(t2)
        jr t0

      finish:
        li x28, LOG + $REGISTERS
      $SAVE_REGISTERS
        li x28, LOG + $CSR_WORDS
      $SAVE_CSRS
        csrw mie, zero
        li x28, 0x2000a
        csrc mstatus, x28
        # An access that a PMP entry covers in part fails in M mode, too.
        li x28, 0x1f
        csrw pmpcfg0, x28
        csrw pmpcfg2, zero
        sfence.vma
        li s10, VARIABLES
        ld t0, TODO(s10)
        addi t0, t0, -1
        sd t0, TODO(s10)
        li a0, 0
        li a1, 0x9e3779b97f4a7c15
        li s0, LOG
        li s1, $RESULT_WORDS
        call digest
        # Page table entries, which are cleared for the next trial.
        ld t3, CURSOR(s10)
        ld s4, 8(t3)
        ld s5, 16(t3)
      1:
        ld s0, 0(s4)
        li s1, 1
        mv s6, s0
        call digest
        sd zero, 0(s6)
        addi s4, s4, 16
        addi s5, s5, -1
        bnez s5, 1b
        li s4, DATA
        li s5, $DATA_PAGES
      2:
        mv s0, s4
        li s1, 16
        call digest
        li s0, 0xfc0
        add s0, s0, s4
        li s1, 8
        call digest
        li t0, 4096
        add s4, s4, t0
        addi s5, s5, -1
        bnez s5, 2b
        ld t0, TODO(s10)
        bnez t0, again
        li t0, VERBOSE
        bnez t0, 3f
        call print
      3:
        ld t0, CURSOR(s10)
        addi t0, t0, 24
        sd t0, CURSOR(s10)
        ld t0, LEFT(s10)
        addi t0, t0, -1
        sd t0, LEFT(s10)
        j next_trial
      power_off:
        li t0, 0x100000
        li t1, 0x5555
        sw t1, 0(t0)
        j power_off

      # Adds s1 words at s0 to the hash in a0; in verbose mode prints them, the last time.
      digest:
        mv s2, ra
        li s3, VERBOSE
        beqz s3, digest_next
        ld t0, TODO(s10)
        beqz t0, digest_print
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
      """;
}
