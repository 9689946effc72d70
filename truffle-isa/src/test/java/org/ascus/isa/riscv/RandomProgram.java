package org.ascus.isa.riscv;

import java.util.Random;

/**
 * Makes endless programs that jump about: branches anywhere, into the middle of loops and out of calls, jump tables,
 * recursion, memory through several mappings of the same pages, floating point, atomics, traps, timer interrupts that
 * come back somewhere else, stores to code, page tables that change, and several harts that share all of that.
 *
 * <p>Registers: a0 to a7 and fa0 to fa7 are computed with, t0 and t1 are scratch, t2 counts loops, t3 to t5 are the
 * trap handler's, s0 points to data and s1 and s3 to the same data by other mappings, s2 is a random number, the two
 * satp values are in s4 and s5 by turns, s7 points to page table entries that change, s9 bounds recursion.
 */
final class RandomProgram {
  private static final String[] REGISTER_OPS = {
    "add", "sub", "xor", "or", "and", "sll", "srl", "sra", "slt", "sltu", "addw", "subw", "sllw", "srlw", "sraw", "mul",
    "mulh", "mulhu", "mulhsu", "mulw", "div", "divu", "rem", "remu", "divw", "divuw", "remw", "remuw", "sh1add",
    "sh2add", "sh3add.uw", "add.uw", "andn", "orn", "xnor", "max", "maxu", "min", "minu", "rol", "ror", "rorw", "clmul",
    "clmulh", "bset", "bclr", "binv", "bext", "czero.eqz", "czero.nez"
  };
  private static final String[] IMMEDIATE_OPS = {"addi", "addiw", "xori", "ori", "andi", "slti", "sltiu"};
  private static final String[] UNARY_OPS = {"clz", "ctz", "cpop", "sext.b", "sext.h", "rev8", "orc.b", "zext.h"};
  private static final String[] FLOAT_OPS = {
    "fadd.d", "fsub.d", "fmul.d", "fdiv.d", "fadd.s", "fsub.s", "fmul.s", "fdiv.s", "fmin.d", "fmax.s", "fsgnj.d",
    "fsgnjn.s", "fsgnjx.d"
  };
  private static final String[] FUSED_OPS = {"fmadd.d", "fmsub.s", "fnmadd.s", "fnmsub.d"};
  private static final String[] AMOS = {
    "amoadd.d", "amoswap.w", "amoxor.d", "amoand.w", "amoor.d", "amomin.w", "amomaxu.d", "amomax.w"
  };
  private static final String[] BRANCHES = {"beq", "bne", "blt", "bge", "bltu", "bgeu"};
  private static final String[] LOADS = {"lb", "lbu", "lh", "lhu", "lw", "lwu", "ld"};
  private static final String[] STORES = {"sb", "sh", "sw", "sd"};
  private static final String[] BASES = {"s0", "s1", "s3"};
  private static final String[] STATUS = {"instret", "cycle", "time", "fflags", "frm", "fcsr", "sstatus"};
  private static final String[] BIT_OPS = {"csrrs", "csrrc"};
  private static final String[] TRAPS = {"ecall", "ebreak", "unimp", "ld a0, 0(zero)", "sw a1, 8(zero)", "sret"};

  private static final int BLOCKS = 48;
  private static final int NEAR = 9;
  private static final int FUNCTIONS = 4;
  private static final int SLOTS = 6;

  private final Random random;
  private final StringBuilder out = new StringBuilder();
  private int labels;

  private final boolean plain;

  private RandomProgram(Random random, boolean plain) {
    this.random = random;
    this.plain = plain;
  }

  /** The source of one that computes only what machine code of the host is made of. */
  static String plainSource(long seed) {
    RandomProgram program = new RandomProgram(new Random(seed), true);
    program.write();
    return program.out.toString();
  }

  /** The source of one. */
  static String source(long seed) {
    RandomProgram program = new RandomProgram(new Random(seed), false);
    program.write();
    return program.out.toString();
  }

  private void line(String format, Object... values) {
    out.append(String.format(format, values)).append('\n');
  }

  private void write() {
    out.append(START);
    for (int r = 10; r < 18; r++) {
      line("li x%d, %d", r, random.nextLong());
      line("fcvt.d.l f%d, x%d", r, r);
    }
    line("mret");
    out.append(HANDLER.replace("BLOCKS", "" + BLOCKS));
    line(".align 3\nblocks:");
    for (int i = 0; i < BLOCKS; i++) {
      line(".word b%d-start", i);
    }
    for (int i = 0; i < BLOCKS; i++) {
      block(i);
    }
    line("j b0");
    for (int i = 0; i < FUNCTIONS; i++) {
      function(i);
    }
  }

  private void block(int number) {
    if (random.nextInt(6) == 0) {
      line("j b%d", number);
      line(".align 3\nd%d: .dword %d", labels, random.nextLong());
      int datum = labels++;
      line("b%d:", number);
      line("la t0, d%d\nld %s, 0(t0)\nadd %s, %s, %s\nsd %s, 0(t0)", datum, "a1", "a1", "a1", x(), "a1");
    } else {
      line("b%d:", number);
    }
    if (number < SLOTS) {
      line("slot%d: addi a%d, a%d, %d", number, number, number, random.nextInt(2000) - 1000);
    }
    instructions(1 + random.nextInt(7));
    switch (random.nextInt(10)) {
      case 0, 1, 2 -> line("%s %s, %s, b%d", pick(BRANCHES), x(), x(), near(number));
      case 3 -> line("j b%d", near(number));
      case 4 -> jumpTable();
      case 5 -> call();
      case 6, 7 -> loop();
      default -> {}
    }
  }

  private int near(int number) {
    return Math.clamp(number + random.nextInt(2 * NEAR + 1) - NEAR, 0, BLOCKS - 1);
  }

  private void instructions(int count) {
    for (int i = 0; i < count; i++) {
      instruction();
    }
  }

  private void jumpTable() {
    int table = labels++;
    line("la t0, table%d\nandi t1, %s, 7\nsh2add t1, t1, t0\nlw t1, 0(t1)\nadd t0, t0, t1\njr t0", table, x());
    line("table%d:", table);
    for (int i = 0; i < 8; i++) {
      line(".word b%d-table%d", random.nextInt(BLOCKS), table);
    }
  }

  private void call() {
    if (random.nextBoolean()) {
      line("call f%d", random.nextInt(FUNCTIONS));
    } else {
      line("la t0, f%d\njalr ra, 0(t0)", random.nextInt(FUNCTIONS));
    }
  }

  /** May begin in its middle, and may be left there. */
  private void loop() {
    int loop = labels++;
    line("li t2, %d", 1 + random.nextInt(60));
    if (random.nextInt(3) == 0) {
      line("%s %s, %s, middle%d", pick(BRANCHES), x(), x(), loop);
    }
    line("loop%d:", loop);
    instructions(1 + random.nextInt(4));
    line("middle%d:", loop);
    instructions(1 + random.nextInt(4));
    if (random.nextInt(3) == 0) {
      line("%s %s, %s, out%d", pick(BRANCHES), x(), x(), loop);
    }
    line("addi t2, t2, -1\nbgtz t2, %s%d", random.nextInt(4) == 0 ? "middle" : "loop", loop);
    line("out%d:", loop);
  }

  private void function(int number) {
    line(".align 1\nf%d:\naddi sp, sp, -16\nsd ra, 0(sp)", number);
    instructions(1 + random.nextInt(4));
    switch (random.nextInt(4)) {
      case 0 -> line("addi s9, s9, -1\nblez s9, end%d\ncall f%d\nend%d:", number, number, number);
      case 1 -> line("%s %s, %s, end%d\ncall f%d\nend%d:", pick(BRANCHES), x(), x(), number, number, number);
      case 2 -> loop();
      default -> {}
    }
    instructions(1 + random.nextInt(3));
    line("li s9, %d\nld ra, 0(sp)\naddi sp, sp, 16\nret", 1 + random.nextInt(20));
  }

  private void instruction() {
    int kind = random.nextInt(40);
    switch (plain && kind >= 13 && kind <= 17 ? 39 : kind) {
      case 0, 1, 2, 3, 4 -> line("%s %s, %d(%s)", pick(LOADS), x(), offset(), pick(BASES));
      case 5, 6, 7, 8 -> line("%s %s, %d(%s)", pick(STORES), x(), offset(), pick(BASES));
      case 9 -> line("fld %s, %d(%s)\nfsw %s, %d(%s)", f(), offset(), pick(BASES), f(), offset(), pick(BASES));
      case 10 -> line("flw %s, %d(%s)\nfsd %s, %d(%s)", f(), offset(), pick(BASES), f(), offset(), pick(BASES));
      case 11 ->
          line("addi t0, %s, %d\n%s %s, %s, (t0)", pick(BASES), offset() & -8, pick(AMOS), x(), x());
      case 12 -> {
        String base = pick(BASES);
        line("lr.d %s, (%s)\naddi t0, %s, 1\nsc.d %s, t0, (%s)", x(), base, x(), x(), base);
      }
      case 13, 14 -> line("%s %s, %s, %s", pick(FLOAT_OPS), f(), f(), f());
      case 15 -> line("%s %s, %s, %s, %s", pick(FUSED_OPS), f(), f(), f(), f());
      case 16 -> line("fmv.x.d %s, %s\nfcvt.w.s %s, %s\nfclass.d %s, %s", x(), f(), x(), f(), x(), f());
      case 17 -> line("fcvt.d.l %s, %s\nfcvt.s.d %s, %s\nfeq.d %s, %s, %s", f(), x(), f(), f(), x(), f(), f());
      case 18 -> rare();
      case 19 -> status();
      case 20, 21, 22 -> line("%s %s, %s, %d", pick(IMMEDIATE_OPS), x(), x(), random.nextInt(4096) - 2048);
      case 23 -> line("%s %s, %s", pick(UNARY_OPS), x(), x());
      case 24 -> line("c.addi %s, %d", x(), 1 + random.nextInt(30));
      case 25 -> line("c.mv %s, %s\nc.add %s, %s", x(), x(), x(), x());
      case 26 ->
          line("c.ld %s, %d(s0)\nc.sw %s, %d(s1)", low(), 8 * random.nextInt(32), low(), 4 * random.nextInt(32));
      case 27 -> line("li %s, %d", x(), random.nextInt());
      case 28 -> line("auipc %s, %d", x(), random.nextInt(1 << 20));
      case 29, 30, 31 -> neighbours();
      default -> line("%s %s, %s, %s", operation(), x(), x(), x());
    }
  }

  private void status() {
    switch (random.nextInt(6)) {
      case 0 -> line("csrrw %s, fflags, %s", x(), x());
      case 1 -> line("csrrwi %s, fflags, %d", x(), random.nextInt(32));
      case 2 -> line("li t0, 2\n%s %s, sstatus, t0", pick(BIT_OPS), x());
      case 3 -> line("%si %s, sstatus, 2", pick(BIT_OPS), x());
      case 4 -> line("%s %s, sstatus, %s", pick(BIT_OPS), x(), x());
      default -> line("csrr %s, %s", x(), pick(STATUS));
    }
  }

  private String operation() {
    String name = pick(REGISTER_OPS);
    return plain && name.startsWith("clmul") ? "add" : name;
  }

  /** Accesses that are near each other, perhaps on two pages. */
  private void neighbours() {
    String base = pick(BASES);
    int centre = random.nextBoolean() ? 0 : 64 * (random.nextInt(60) - 30);
    for (int i = 0; i < 2 + random.nextInt(5); i++) {
      int width = random.nextInt(4);
      int offset = centre + (random.nextInt(160) - 80 & (random.nextInt(40) == 0 ? -1 : -1 << width));
      switch (random.nextInt(5)) {
        case 0 -> line("%s %s, %s, %s", operation(), x(), x(), x());
        case 1, 2 -> line("%s %s, %d(%s)", STORES[width], x(), offset, base);
        default -> line("%s %s, %d(%s)", LOADS[Math.min(2 * width + random.nextInt(2), 6)], x(), offset, base);
      }
    }
  }

  /** What would slow the program down if there were more of it. */
  private void rare() {
    switch (random.nextInt(14)) {
      case 0 -> line("%s", pick(TRAPS));
      case 1 -> line("li t0, 0x6000\ncsrc sstatus, t0");
      case 2 -> line("csrwi frm, %d", random.nextInt(6));
      case 3 -> line("sfence.vma");
      case 4 -> line("sfence.vma %s, zero", pick(BASES));
      case 5 -> line("csrw satp, s4\nmv t0, s4\nmv s4, s5\nmv s5, t0");
      case 6, 7 -> {
        boolean code = random.nextBoolean();
        int entry = 8 * random.nextInt(code ? 4 : 3) - (code ? 2048 : 0);
        line("ld t0, %d(s7)\nlui t1, %d\nxor t0, t0, t1\nsd t0, %d(s7)\nsfence.vma", entry, code ? 0xc0 : 0x180, entry);
      }
      case 8, 9 -> {
        int bit = 1 << 8 + random.nextInt(11);
        line("la t0, slot%d\nlui t1, %d\nlw a7, 0(t0)\nxor a7, a7, t1", random.nextInt(SLOTS), bit);
        line("sw a7, 0(t0)\nfence.i");
      }
      case 10 -> line("cbo.zero (%s)", pick(BASES));
      case 11 -> line("fence rw, rw\nfence.i");
      case 12 -> line("addi t0, s0, %d\namoadd.d %s, %s, (t0)", 1 + random.nextInt(7), x(), x());
      default -> line("csrrw %s, fcsr, zero", x());
    }
  }

  /** From the start of the second page of data; some accesses lie across pages. */
  private int offset() {
    return switch (random.nextInt(6)) {
      case 0 -> random.nextInt(32) - 16;
      case 1 -> random.nextInt(4096) - 2048;
      default -> 8 * (random.nextInt(512) - 256);
    };
  }

  private String x() {
    return "a" + random.nextInt(8);
  }

  /** One that compressed instructions know. */
  private String low() {
    return "a" + random.nextInt(6);
  }

  private String f() {
    return "fa" + random.nextInt(8);
  }

  private String pick(String[] from) {
    return from[random.nextInt(from.length)];
  }

  /**
   * Two page tables of Sv39, at 0x80200000 and 0x80210000. Both map the first GiB from 0x80000000 to itself, and by
   * pages of 4 KiB 16 pages of code and 16 of data to 0x40000000 and 0x40100000, and the same data to 0x41100000, which
   * has the same places in the soft TLB. The second begins with the other one of two copies of everything. Entries say
   * neither accessed nor dirty.
   */
  private static final String START =
      """
      start:
        csrr tp, mhartid
        la t0, handler
        csrw mtvec, t0
        li t0, 0x6000
        csrs mstatus, t0
        li t0, -1
        csrw mcounteren, t0
        csrw scounteren, t0
        li t0, 0xf000000000000000
        csrs menvcfg, t0
        li t0, 0xf0
        csrs senvcfg, t0
        csrs menvcfg, t0
        li t0, 0x3fffffffffffff
        csrw pmpaddr0, t0
        li t0, 0x1f
        csrw pmpcfg0, t0
        la t0, start
        li t1, 0x80300000
        li t2, 0x4000
      copy:
        ld t3, 0(t0)
        sd t3, 0(t1)
        addi t0, t0, 8
        addi t1, t1, 8
        addi t2, t2, -8
        bgtz t2, copy
        li t0, 0x80100000
        li t1, 0x9e3779b97f4a7c15
        li t2, 0x3000
      fill:
        sd t1, 0(t0)
        mul t1, t1, t1
        addi t1, t1, 5
        addi t0, t0, 8
        addi t2, t2, -8
        bgtz t2, fill
        slli s7, tp, 17
        li a0, 0x80200000
        add a0, a0, s7
        li a1, 0
        call tables
        li a0, 0x80210000
        add a0, a0, s7
        li a1, 0x300
        slli a1, a1, 10
        call tables
        slli t0, tp, 5
        li s4, 0x8000100000080200
        add s4, s4, t0
        li s5, 0x8000200000080210
        add s5, s5, t0
        csrw satp, s4
        li s0, 0x80101000
        li s1, 0x40101000
        li s3, 0x41101000
        li t0, 0x80202800
        add s7, s7, t0
        li s2, 0x9e3779b97f4a7c15
        add s2, s2, tp
        li s9, 10
        li sp, 0x80150000
        slli t0, tp, 12
        add sp, sp, t0
        li t0, 0x20
        csrs mie, t0
        csrw stimecmp, zero
        la t0, b0
        csrw mepc, t0
        li t0, 0x1800
        csrc mstatus, t0
        li t0, 0x880
        csrs mstatus, t0
        j go
      # The root at a0, then tables of 2 MiB for 0x40000000 and of pages for 0x40000000, 0x40100000 and 0x41100000.
      tables:
        srli t0, a0, 2
        li t1, 0x2000000f
        sd t1, 16(a0)
        li t1, 0x401
        add t1, t1, t0
        sd t1, 8(a0)
        li t2, 0x1000
        add t2, t2, a0
        addi t1, t1, 0x400
        sd t1, 0(t2)
        addi t1, t1, 0x400
        sd t1, 64(t2)
        li t2, 0x2000
        add t2, t2, a0
        li t3, 0x3000
        add t3, t3, a0
        li t0, 0x2000000f
        xor t0, t0, a1
        li t1, 0x2004000f
        li t4, 16
      page:
        sd t0, 0(t2)
        li t5, 0x800
        add t5, t5, t2
        sd t1, 0(t5)
        li t5, 0x800
        add t5, t5, t3
        sd t1, 0(t5)
        addi t0, t0, 0x400
        addi t1, t1, 0x400
        addi t2, t2, 8
        addi t3, t3, 8
        addi t4, t4, -1
        bgtz t4, page
        ret
      go:
      """;

  /**
   * Goes on behind the instruction that trapped; after an interrupt or a wrong jump at some block. An interrupt may
   * come between a store to a page table and its fence: what is left of the old mapping then differs from tier to tier.
   */
  private static final String HANDLER =
      """
      .align 2
      handler:
        csrr t3, mcause
        bltz t3, timer
        li t4, 12
        beq t3, t4, elsewhere
        li t4, 1
        beq t3, t4, elsewhere
        li t5, 0x6000
        csrs mstatus, t5
        csrr t4, mepc
        slli t5, t4, 48
        srli t5, t5, 48
        li t3, 0x80000000
        add t5, t5, t3
        lhu t5, 0(t5)
        andi t5, t5, 3
        addi t5, t5, -3
        seqz t5, t5
        slli t5, t5, 1
        addi t5, t5, 2
        add t4, t4, t5
        csrw mepc, t4
        mret
      timer:
        csrr t3, time
        srli t5, s2, 40
        andi t5, t5, 63
        add t3, t3, t5
        addi t3, t3, 20
        csrw stimecmp, t3
        csrr t4, mepc
        slli t4, t4, 48
        srli t4, t4, 48
        li t3, 0x80000000
        add t4, t4, t3
        lhu t4, 0(t4)
        li t3, 0x73
        bne t4, t3, elsewhere
        sfence.vma
      elsewhere:
        li t4, 6364136223846793005
        mul s2, s2, t4
        addi s2, s2, 1013
        xor a0, a0, s2
        add a3, a3, s2
        sub a5, a5, s2
        fmv.d.x fa3, s2
        li sp, 0x80150000
        slli t4, tp, 12
        add sp, sp, t4
        srli t5, s2, 33
        li t4, BLOCKS
        remu t5, t5, t4
        slli t5, t5, 2
        la t4, blocks
        add t4, t4, t5
        lw t5, 0(t4)
        li t4, 0x80000000
        bltz s2, same
        li t4, 0x40000000
      same:
        add t5, t5, t4
        csrw mepc, t5
        csrr t3, mcause
        li t4, 0x1800
        csrc mstatus, t4
        srli t3, s2, 20
        andi t3, t3, 7
        beqz t3, machine
        li t4, 0x800
      machine:
        csrs mstatus, t4
        li t4, 0x80
        csrs mstatus, t4
        mret
      """;
}
