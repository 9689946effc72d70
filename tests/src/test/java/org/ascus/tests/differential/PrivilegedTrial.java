package org.ascus.tests.differential;

import java.util.List;
import java.util.Random;

/**
 * A few steps in M, S and U mode, each some instructions, and the state that they start from. Registers t0 to s3 (x5 to
 * x19) and ra are the steps'; x20 and x21 belong to the trap handler in S mode, x23 to x31 to the one in M mode.
 */
final class PrivilegedTrial {
  private static final List<String> LOADS = List.of("lb", "lbu", "lh", "lhu", "lw", "lwu", "ld", "ld");
  private static final List<String> STORES = List.of("sb", "sh", "sw", "sd", "sd");
  private static final List<String> AMOS = List.of("amoadd.w", "amoswap.d", "amomaxu.d", "amoxor.w", "amomin.w");
  private static final List<String> ILLEGAL = List.of("0xffffffff", "0x0", "0x302000f3", "0x5b", "0x10000073");
  private static final int MOST_STEPS = 5;

  private final Random random;
  final String name;
  final PrivilegedMemory memory;
  final PrivilegedPmp pmp;
  private final PrivilegedCsrs csrs;

  /**
   * Whether an access may cross into another page. Not where there are holes, since mtval is QEMU's own affair then,
   * nor with PMP: how an access is split before it is checked is implementation-defined.
   */
  final boolean misaligned;

  private final boolean calls;

  /** menvcfg without what steps may change. */
  final long environment;


  /** Interrupts that software raises. */
  final long interrupts;

  /** Mask of medeleg: what the trial needs to come to its end is left out. */
  final long delegable;

  /** How the S-mode handler gives up: by ebreak, or else by ecall. */
  private final boolean breakpointEnds;

  private int labels;
  final String text;

  PrivilegedTrial(int index, Random random, boolean extended) {
    this.random = random;
    name = "t" + index;
    boolean fine = random.nextInt(3) == 0;
    pmp = new PrivilegedPmp(random, fine);
    calls = !fine;
    misaligned = random.nextBoolean() && pmp.idle;
    memory = new PrivilegedMemory(random, extended, misaligned);
    environment =
        PrivilegedCsrs.ADUE
            | (random.nextBoolean() ? PrivilegedCsrs.STCE : 0)
            | (extended ? PrivilegedCsrs.PBMTE : 0);
    breakpointEnds = random.nextBoolean();
    interrupts = random.nextBoolean() ? 0x22 : 0x200;
    delegable = PrivilegedCsrs.DELEGABLE & ~(breakpointEnds ? 1L << 3 : 1L << 9);
    csrs = new PrivilegedCsrs(random, this);
    text = setup() + steps() + data();
  }

  private static String set(String csr, long value) {
    return "  li t0, " + value + "\n  csrw " + csr + ", t0\n";
  }

  private String setup() {
    StringBuilder code = new StringBuilder(name + ":\n");
    code.append(set("pmpcfg0", pmp.packed(0) & 0xff)).append("  csrw pmpcfg2, zero\n");
    for (int i = 0; i < PrivilegedPmp.ENTRIES; i++) {
      code.append(set("pmpaddr" + i, pmp.address[i]));
    }
    code.append(set("pmpcfg0", pmp.packed(0))).append(set("pmpcfg2", pmp.packed(2)));
    code.append(set("medeleg", random.nextInt(3) == 0 ? 0 : random.nextLong() & delegable));
    code.append(set("mideleg", random.nextInt(3) == 0 ? 0 : random.nextLong() & 0x222));
    code.append(set("mcounteren", random.nextInt(3) == 0 ? -1 >>> 1 : random.nextInt(8)));
    code.append(set("scounteren", random.nextInt(8)));
    code.append(set("senvcfg", 0)).append(set("menvcfg", PrivilegedCsrs.STCE | PrivilegedCsrs.ADUE));
    code.append(set("stimecmp", PrivilegedCsrs.FAR_FUTURE)).append(set("menvcfg", environment));
    code.append("  csrw mip, zero\n");
    code.append(set("mtvec", PrivilegedMemory.SAFE + PrivilegedImage.MACHINE_VECTORS + random.nextInt(2)));
    code.append(set("stvec", PrivilegedMemory.SAFE + PrivilegedImage.SUPERVISOR_VECTORS + random.nextInt(2)));
    code.append(set("satp", memory.satp(!misaligned)));
    for (String csr : List.of("mepc", "mcause", "mtval", "sepc", "scause", "stval", "sscratch")) {
      code.append(set(csr, 0));
    }
    code.append(set("mie", random.nextInt(3) == 0 ? random.nextInt() & 0xaaa : 0));
    code.append(set("mip", random.nextInt(3) == 0 ? random.nextInt() & interrupts : 0));
    code.append(set("mstatus", PrivilegedCsrs.WIDTHS | 0x6000));
    code.append("  csrw fcsr, zero\n");
    code.append(set("mstatus", PrivilegedCsrs.WIDTHS | random.nextInt(4) * 0x4_0000L | random.nextInt(2) * 0x6000L));
    code.append("  li x23, ").append(breakpointEnds ? 1 : 0).append("\n  li x30, 0x20000\n  sfence.vma\n");
    code.append("  la t0, ").append(name).append("_regs\n");
    code.append("  ld ra, 0(t0)\n");
    for (int i = 6; i < 20; i++) {
      code.append("  ld x").append(i).append(", ").append(8 * (i - 5)).append("(t0)\n");
    }
    return code.toString();
  }

  private String steps() {
    StringBuilder code = new StringBuilder();
    int steps = 2 + random.nextInt(MOST_STEPS - 1);
    for (int k = 0; k < steps; k++) {
      int mode = List.of(0, 0, 1, 1, 1, 3, 3).get(random.nextInt(7));
      enter(code, k, mode);
      for (int n = 1 + random.nextInt(8); n > 0; n--) {
        code.append(instruction(mode));
      }
      code.append(name).append("_e").append(k).append(":\n  ecall\n  ebreak\n  .word 0\n  nop\n");
    }
    return code.append(name).append("_s").append(steps).append(":\n  j finish\n").toString();
  }

  private void enter(StringBuilder code, int k, int mode) {
    code.append("%1$s_s%2$d:\n  la x25, %1$s_s%3$d\n  la x27, %1$s_e%2$d\n  mv x26, x27\n".formatted(name, k, k + 1));
    if (mode == 3) {
      return;
    }
    code.append("  la x28, %s_c%d\n".formatted(name, k));
    if (mode == 0) {
      code.append(
          """
            csrr x29, satp
            beqz x29, %1$s_u%2$d
            li x29, %3$d
            add x28, x28, x29
            add x26, x26, x29
          %1$s_u%2$d:
          """
              .formatted(name, k, PrivilegedMemory.USER_OFFSET));
    }
    code.append("  csrw mepc, x28\n  li x29, 0x1800\n  csrc mstatus, x29\n");
    if (mode == 1) {
      code.append("  li x29, 0x800\n  csrs mstatus, x29\n");
    }
    code.append("  mret\n").append(name).append("_c").append(k).append(":\n");
  }

  private String x() {
    return "x" + (6 + random.nextInt(14));
  }

  private String address(int mode) {
    long page = mode == 3 && random.nextBoolean() ? memory.physical() : memory.page();
    boolean known = page >= PrivilegedMemory.DATA && page < PrivilegedMemory.LOCKABLE;
    return "  li t0, " + (page + memory.offset(misaligned && (known || mode != 3))) + "\n";
  }

  /** Where an AMO goes: not to a hole, where QEMU 7.2 has it fail as a load. */
  private String atomic(int mode) {
    boolean translated = mode != 3 && misaligned;
    long page = translated ? memory.translatedMemory() : memory.physical();
    return "  li t0, " + (page + memory.offset(misaligned)) + "\n";
  }

  private String instruction(int mode) {
    int kind = random.nextInt(40);
    if (kind < 7) {
      return address(mode) + "  %s %s, 0(t0)\n".formatted(LOADS.get(random.nextInt(LOADS.size())), x());
    }
    if (kind < 13) {
      return address(mode) + "  %s %s, 0(t0)\n".formatted(STORES.get(random.nextInt(STORES.size())), x());
    }
    return switch (kind) {
      case 13, 14 -> atomic(mode) + "  %s %s, %s, (t0)\n".formatted(AMOS.get(random.nextInt(AMOS.size())), x(), x());
      case 15 -> reservation(mode);
      case 16, 17 -> calls ? call(mode) : "";
      case 18 -> "  add %s, %s, %s\n".formatted(x(), x(), x());
      case 19 -> address(mode) + (random.nextBoolean() ? "  fld fa0, 0(t0)\n" : "  fsw fa1, 0(t0)\n");
      case 20 -> "  ecall\n";
      case 21 -> "  ebreak\n";
      case 22 -> "  .word " + ILLEGAL.get(random.nextInt(ILLEGAL.size())) + "\n";
      case 23 -> mode == 0 ? "  wfi\n" : "  fence.i\n";
      case 24 -> "  li t0, %d\n  sfence.vma %s\n".formatted(memory.page(), random.nextBoolean() ? "t0" : "zero, t0");
      case 25 -> "  fadd.d fa0, fa1, fa2\n";
      case 26 -> previous(mode, "sepc", "  li t1, 0x100\n  csrrs t2, sstatus, t1\n", "sret");
      case 27 -> mode == 3 || random.nextInt(4) == 0 ? previous(mode, "mepc", mpp(), "mret") : csrs.access(mode);
      default -> csrs.access(mode);
    };
  }

  /** In S mode without translations from before: QEMU 7.2 lets it run what it could read of U mode's with SUM. */
  private String call(int mode) {
    String flush = mode == 1 ? "  sfence.vma\n" : "";
    return "%s  li t0, %d\n  jalr ra, 0(t0)\n".formatted(flush, memory.page() + 0x80);
  }

  private String mpp() {
    return random.nextBoolean()
        ? "  li t1, 0x1000\n  csrrc t2, mstatus, t1\n"
        : "  li t1, 0x1800\n  csrrs t2, mstatus, t1\n";
  }

  private String label() {
    return name + "_l" + labels++;
  }

  /** LR and SC to the same place; the SC is left out when the LR trapped, since it may then trap or not. */
  private String reservation(int mode) {
    String label = label();
    String width = random.nextBoolean() ? "w" : "d";
    return address(mode)
        + """
            li t1, 0x5a5a5a5a5a5a
            mv t2, t1
            lr.%1$s t1, (t0)
            beq t1, t2, %2$s
            sc.%1$s t2, s0, (t0)
          %2$s:
          """
            .formatted(width, label);
  }

  /**
   * MRET or SRET to the next instruction, or to a page that may return there, in a random mode; never back, so that a
   * trial comes to its end.
   */
  private String previous(int mode, String epc, String change, String back) {
    String label = label();
    String clear = mode == 3 ? "  csrc mstatus, x30\n" : "";
    String target = calls && random.nextInt(4) == 0 ? "li t0, " + (memory.page() + 0x80) : "la t0, " + label;
    return """
          la ra, %1$s
          %2$s
          csrw %3$s, t0
        %4$s%5$s  %6$s
        %1$s:
        """
        .formatted(label, target, epc, mode == 0 || random.nextBoolean() ? "" : change, clear, back);
  }

  private String data() {
    StringBuilder code = new StringBuilder(".balign 8\n" + name + "_regs:\n");
    for (int i = 0; i < 15; i++) {
      code.append("  .dword ").append(random.nextInt(3) == 0 ? random.nextInt(100) : random.nextLong()).append('\n');
    }
    code.append(name).append("_ptes:\n");
    memory.entries.forEach((at, value) -> code.append("  .dword ").append(at).append(", ").append(value).append('\n'));
    return code.toString();
  }
}
