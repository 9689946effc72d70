package org.ascus.tests.differential;

import java.util.List;
import java.util.Random;
import org.ascus.isa.riscv.RiscvNames;

/**
 * Accesses to control and status registers whose result the privileged specification fixes. Left out of what is
 * written or compared, each for its reason:
 *
 * <ul>
 *   <li>marchid, mimpid: each implementation has its own.
 *   <li>values of cycle, time, instret, mcycle, minstret: time. Whether they may be read is compared.
 *   <li>mstatus.MPP=2, pmpcfg with W and not R, satp of mode 0 with other bits, senvcfg/menvcfg.CBIE=2: reserved; what
 *       is read back afterwards is unspecified.
 *   <li>mstatus.FS Initial and Clean: hardware may make them Dirty whenever it likes.
 *   <li>sepc[0], mepc[0]: zero by the specification, kept by QEMU 7.2.
 *   <li>SEI together with SSI or STI: QEMU 7.2 takes the lower number first, not SEI.
 *   <li>mstatus.UXL, SXL, XS, VS: WARL; QEMU can switch UXL, here it is 64 for good.
 *   <li>mstatus.MPV, GVA and the delegation bits of the hypervisor and of ecall in M mode: QEMU 7.2 lets them be
 *       written though it has no hypervisor here; the specification wants zero.
 *   <li>menvcfg.ADUE: QEMU 7.2 has Svadu's behaviour and not yet its bit, so it is on for good.
 *   <li>trigger registers (0x7a0 to 0x7af) and 0x747 (mseccfg): optional and different.
 *   <li>menvcfg.PBMTE: QEMU 7.2 has Svpbmt on where it exists.
 *   <li>mstatus.MPRV at MRET and SRET to a lower mode: QEMU 7.2 does not clear it.
 *   <li>vstimecmp: QEMU 7.2 has it without a hypervisor.
 *   <li>writes to counters and events of the performance monitor: QEMU counts, here they are zero.
 * </ul>
 */
final class PrivilegedCsrs {
  static final long WIDTHS = 2L << 32 | 2L << 34;
  static final long STCE = 1L << 63;
  static final long PBMTE = 1L << 62;
  static final long ADUE = 1L << 61;
  static final long FAR_FUTURE = 1L << 56;
  private static final long SUPERVISOR = 0x222;
  private static final long SSTATUS = 0xc6122;
  private static final long MSTATUS = SSTATUS | 0x8 | 0x80 | 0x20000 | 0x700000;

  /** Exceptions that can be delegated and happen here; trials keep out of it what they need themselves. */
  static final long DELEGABLE = 0xb3ff;

  /** QEMU 7.2 looks at the lower end of a TOR entry only when the configuration is written. */
  private static final String REFRESH =
      """
        csrr t2, pmpcfg0
        csrw pmpcfg0, t2
        csrr t2, pmpcfg2
        csrw pmpcfg2, t2
        sfence.vma
      """;

  private static final List<String> ANY_VALUE = List.of("mcause", "mtval", "scause", "stval", "sscratch");
  private static final List<String> MACHINE =
      List.of(
          "mstatus", "mstatus", "mstatus", "mtvec", "mepc", "mcause", "mtval", "medeleg", "mideleg", "mie", "mip",
          "mcounteren", "menvcfg", "pmpcfg0", "pmpcfg2", "pmpaddr", "pmpaddr", "mhartid", "misa", "mvendorid",
          "mconfigptr");
  private static final List<String> SUPERVISOR_NAMES =
      List.of(
          "sstatus", "sstatus", "stvec", "sepc", "scause", "stval", "sscratch", "sie", "sip", "satp", "satp",
          "scounteren", "senvcfg", "stimecmp");
  private static final List<String> USER = List.of("fflags", "frm", "fcsr", "cycle", "time", "instret");

  private final Random random;
  private final PrivilegedTrial trial;

  PrivilegedCsrs(Random random, PrivilegedTrial trial) {
    this.random = random;
    this.trial = trial;
  }

  /** Code that accesses a register; the result goes to t1 when it can be compared. */
  String access(int mode) {
    int kind = random.nextInt(20);
    if (kind == 0) {
      return probe();
    }
    List<String> names = kind < 3 ? USER : kind < 11 || mode != 3 ? SUPERVISOR_NAMES : MACHINE;
    if (mode != 3 && kind > 17) {
      names = MACHINE;
    }
    String name = names.get(random.nextInt(names.size()));
    if (name.equals("pmpaddr")) {
      name += random.nextInt(PrivilegedPmp.ENTRIES);
    }
    return access(name, mode);
  }

  /** Reads any register that may or may not exist: only whether it traps is compared. */
  private String probe() {
    while (true) {
      int number = random.nextInt(3) == 0 ? 0xb00 + random.nextInt(0x40) : random.nextInt(0x1000);
      number = random.nextInt(4) == 0 ? 0xc00 + random.nextInt(0x40) : number;
      if (number >= 0x7a0 && number <= 0x7af || List.of(0x747, 0x24d).contains(number)) {
        continue;
      }
      return "  csrrs t1, 0x%x, zero\n  li t1, 0\n".formatted(number);
    }
  }

  private String access(String name, int mode) {
    int number = RiscvNames.csr(name).orElseThrow();
    boolean readOnly = number >>> 10 == 3;
    boolean counter = readOnly && number < 0xf00;
    if (random.nextInt(3) == 0 || readOnly && random.nextInt(4) != 0) {
      return "  csrr t1, %s\n%s".formatted(name, counter ? "  li t1, 0\n" : hidden(name));
    }
    String write = trial.misaligned && name.startsWith("pmp") ? "" : write(name, mode);
    return write.isEmpty() ? "  csrr t1, %s\n%s".formatted(name, hidden(name)) : write + hidden(name);
  }

  /** Clears what is not comparable. */
  private static String hidden(String name) {
    return name.equals("menvcfg") ? "  bclri t1, t1, 61\n" : "";
  }

  private static String load(long value) {
    return "  li t0, " + value + "\n";
  }

  private String swap(String name, long value) {
    return load(value) + "  csrrw t1, " + name + ", t0\n";
  }

  private String masked(String name, long mask, long forced) {
    long value = random.nextLong() & mask;
    value = name.equals("sstatus") ? floatingPoint(value) : value;
    return switch (random.nextInt(4)) {
      case 0, 1 -> swap(name, value | forced);
      case 2 -> load(value) + "  csrrs t1, " + name + ", t0\n";
      default -> load(value) + "  csrrc t1, " + name + ", t0\n";
    };
  }

  private static long floatingPoint(long value) {
    return (value & 0x2000) == 0 ? value & ~0x6000L : value | 0x6000;
  }

  private String write(String name, int mode) {
    return switch (name) {
      case "mstatus" -> mstatus();
      case "sstatus" ->
          random.nextInt(6) == 0 ? "  csrrci t1, sstatus, 2\n" : masked("sstatus", SSTATUS, 2L << 32);
      case "mtvec" -> swap(name, PrivilegedMemory.SAFE + PrivilegedImage.MACHINE_VECTORS + random.nextInt(4));
      case "stvec" -> swap(name, PrivilegedMemory.SAFE + PrivilegedImage.SUPERVISOR_VECTORS + random.nextInt(4));
      case "mepc", "sepc" -> swap(name, random.nextBoolean() ? trial.memory.page() + 0x80 : random.nextLong() & -2);
      case "medeleg" -> masked(name, trial.delegable, 0);
      case "mideleg", "sie" -> masked(name, SUPERVISOR, 0);
      case "sip", "mip" -> masked(name, trial.interrupts, 0);
      case "mie" -> masked(name, 0xaaa, 0);
      case "mcounteren", "scounteren" -> masked(name, 0xffff_ffffL, 0);
      case "menvcfg" -> swap(name, trial.environment | environment());
      case "senvcfg" -> swap(name, environment());
      case "satp" -> satp();
      case "pmpcfg0" -> swap(name, trial.pmp.configValue(0)) + "  sfence.vma\n";
      case "pmpcfg2" -> swap(name, trial.pmp.configValue(2)) + "  sfence.vma\n";
      case "pmpaddr0", "pmpaddr15" -> "";
      case "stimecmp" -> mode == 3 && (trial.environment & STCE) == 0 ? "" : stimecmp();
      case "fflags", "frm", "fcsr" ->
          "  csrr%s t1, %s, %d\n".formatted(List.of("wi", "si", "ci").get(random.nextInt(3)), name, random.nextInt(32));
      default ->
          name.startsWith("pmpaddr")
              ? swap(name, trial.pmp.address()) + REFRESH
              : ANY_VALUE.contains(name) ? masked(name, -1L, 0) : swap(name, random.nextLong());
    };
  }

  private String mstatus() {
    long previous = List.of(0L, 0x800L, 0x1800L).get(random.nextInt(3));
    long value = floatingPoint(random.nextLong() & MSTATUS);
    return switch (random.nextInt(5)) {
      case 0, 1 -> swap("mstatus", value | previous | WIDTHS);
      case 2 -> load(value | previous) + "  csrrs t1, mstatus, t0\n";
      case 3 -> load(value | (previous == 0x800 ? 0x1000 : previous)) + "  csrrc t1, mstatus, t0\n";
      default ->
          "  csrr%s t1, mstatus, %d\n".formatted(random.nextBoolean() ? "si" : "ci", random.nextBoolean() ? 8 : 2);
    };
  }

  private String stimecmp() {
    return swap("stimecmp", (trial.interrupts & 0x20) != 0 && random.nextBoolean() ? 0 : FAR_FUTURE);
  }

  private long environment() {
    return random.nextInt(2) | List.of(0L, 0x10L, 0x30L).get(random.nextInt(3)) | (long) random.nextInt(4) << 6;
  }

  private String satp() {
    if (random.nextInt(8) == 0) {
      long reserved = List.of(1L, 5L, 7L, 11L, 15L).get(random.nextInt(5));
      return swap("satp", reserved << 60 | random.nextLong() >>> 4);
    }
    return swap("satp", trial.memory.satp(!trial.misaligned));
  }
}
