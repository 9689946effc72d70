package org.ascus.benchmarks.micro;

/**
 * Endless guest loops, each heavy in one thing. A round adds one to s11 with its last but one instruction.
 */
public enum GuestLoop {
  /** Stores and loads in one page: the soft TLB hits always. */
  TLB_HIT(
      18,
      "li s0, 0x80100000\n",
      "sd s11, 0(s0)\nld a0, 0(s0)\n".repeat(8)),

  /**
   * A load from each of 8192 pages in turn, through Sv39 tables: twice as many pages as the soft TLB has entries. The
   * tables map them all to one page. MPRV has M mode's loads translated as those of S mode.
   */
  TLB_MISS(
      7,
      """
      li t0, 0x80200000
      li t1, 0x20080401
      sd t1, 8(t0)
      li t0, 0x80201000
      li t1, 0x20080801
      li t2, 16
      1: sd t1, 0(t0)
      li t3, 0x400
      add t1, t1, t3
      addi t0, t0, 8
      addi t2, t2, -1
      bnez t2, 1b
      li t0, 0x80202000
      li t1, 0x200400c7
      li t2, 8192
      2: sd t1, 0(t0)
      addi t0, t0, 8
      addi t2, t2, -1
      bnez t2, 2b
      li t0, 0x8000000000080200
      csrw satp, t0
      sfence.vma
      li t0, 0x1f
      csrw pmpcfg0, t0
      li t0, -1
      csrw pmpaddr0, t0
      li t0, 0x20800
      csrs mstatus, t0
      li s0, 0x40000000
      li s1, 0
      li s2, 0x1000
      li s3, 0x1ffffff
      """,
      """
      add s1, s1, s2
      and s1, s1, s3
      add a1, s0, s1
      ld a0, 0(a1)
      addi a2, a2, 1
      """),

  /** Sixteen blocks of two instructions, each ended by a jump: what going from block to block costs. */
  BLOCK_DISPATCH(34, "", "addi a0, a0, 1\nj 1f\n1:\n".repeat(16)),

  /** Calls of a known function and their returns. */
  DIRECT_CALL(26, "j start\nleaf: addi a0, a0, 1\nret\nstart:\n", "call leaf\n".repeat(8)),

  /** Calls through a register, of two functions in turn, and their returns. */
  INDIRECT_CALL(
      26,
      "j start\neven: addi a0, a0, 1\nret\nodd: addi a0, a0, 2\nret\nstart:\nla s0, even\nla s1, odd\n",
      "jalr s0\njalr s1\n".repeat(4)),

  /** An ecall, a handler that steps over it, and mret. */
  TRAP(
      7,
      """
      la t0, handler
      csrw mtvec, t0
      j start
      .align 2
      handler:
      csrr t0, mepc
      addi t0, t0, 4
      csrw mepc, t0
      mret
      start:
      """,
      "ecall\n"),

  /** A store to and a load from a device that does nothing. */
  MMIO(4, "li s0, 0x10000000\n", "sw s11, 0(s0)\nlw a0, 0(s0)\n"),

  /** Atomic additions to one word. */
  AMO(10, "li s0, 0x80100000\nli a1, 1\n", "amoadd.d a0, a1, (s0)\n".repeat(8)),

  /** Double-precision additions and multiplications; the inexact flag is raised soon, as in any program. */
  FLOAT(
      18,
      """
      li t0, 0x2000
      csrs mstatus, t0
      li t0, 0x3fb999999999999a
      fmv.d.x fa1, t0
      li t0, 0x3fe6666666666666
      fmv.d.x fa2, t0
      """,
      "fadd.d fa0, fa0, fa1\nfmul.d fa0, fa0, fa2\n".repeat(8));

  private final int instructionsPerRound;
  private final String setup;
  private final String body;

  GuestLoop(int instructionsPerRound, String setup, String body) {
    this.instructionsPerRound = instructionsPerRound;
    this.setup = setup;
    this.body = body;
  }

  /** Guest instructions executed in one round. */
  int instructionsPerRound() {
    return instructionsPerRound;
  }

  /** The program: set-up once, then rounds for ever. */
  String source() {
    return setup + "round:\n" + body + "addi s11, s11, 1\nj round\n";
  }
}
