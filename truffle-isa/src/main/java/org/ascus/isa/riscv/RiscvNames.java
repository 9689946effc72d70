package org.ascus.isa.riscv;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** Names of RISC-V registers (the psABI's) and control and status registers (the privileged specification's). */
public final class RiscvNames {
  private static final List<String> INTEGER =
      List.of(
          "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7",
          "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6");
  private static final List<String> FLOATING =
      List.of(
          "ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7", "fs0", "fs1", "fa0", "fa1", "fa2", "fa3", "fa4",
          "fa5", "fa6", "fa7", "fs2", "fs3", "fs4", "fs5", "fs6", "fs7", "fs8", "fs9", "fs10", "fs11", "ft8", "ft9",
          "ft10", "ft11");

  /** Runs of consecutive registers: number of the first, then names; a name ending in #n-m stands for many. */
  private static final String CSRS =
      """
      001 fflags frm fcsr
      008 vstart vxsat vxrm
      00f vcsr
      015 seed
      100 sstatus
      104 sie stvec scounteren
      10a senvcfg
      10c sstateen#0-3
      140 sscratch sepc scause stval sip
      14d stimecmp
      180 satp
      200 vsstatus
      204 vsie vstvec
      240 vsscratch vsepc vscause vstval vsip
      24d vstimecmp
      280 vsatp
      300 mstatus misa medeleg mideleg mie mtvec mcounteren
      30a menvcfg
      30c mstateen#0-3
      320 mcountinhibit
      323 mhpmevent#3-31
      340 mscratch mepc mcause mtval mip
      34a mtinst mtval2
      3a0 pmpcfg#0-15
      3b0 pmpaddr#0-63
      5a8 scontext
      600 hstatus
      602 hedeleg hideleg hie htimedelta hcounteren hgeie
      60a henvcfg
      60c hstateen#0-3
      643 htval hip hvip
      64a htinst
      680 hgatp
      6a8 hcontext
      747 mseccfg
      7a0 tselect tdata#1-3 tinfo tcontrol
      7a8 mcontext
      7b0 dcsr dpc dscratch#0-1
      b00 mcycle
      b02 minstret mhpmcounter#3-31
      c00 cycle time instret hpmcounter#3-31
      c20 vl vtype vlenb
      da0 scountovf
      e12 hgeip
      f11 mvendorid marchid mimpid mhartid mconfigptr
      """;

  private static final Map<String, Integer> CSR_BY_NAME = new HashMap<>();
  private static final Map<Integer, String> CSR_BY_NUMBER = new HashMap<>();

  static {
    CSRS.lines().forEach(RiscvNames::addCsrs);
  }

  private RiscvNames() {}

  private static void addCsrs(String line) {
    int number = Integer.parseInt(line.substring(0, 3), 16);
    for (String name : line.substring(4).split(" ")) {
      int hash = name.indexOf('#');
      if (hash < 0) {
        addCsr(number++, name);
        continue;
      }
      int dash = name.indexOf('-');
      int last = Integer.parseInt(name.substring(dash + 1));
      for (int i = Integer.parseInt(name.substring(hash + 1, dash)); i <= last; i++) {
        addCsr(number++, name.substring(0, hash) + i);
      }
    }
  }

  private static void addCsr(int number, String name) {
    CSR_BY_NAME.put(name, number);
    CSR_BY_NUMBER.put(number, name);
  }

  /** The number of an integer register: zero to t6, fp, x0 to x31. */
  public static OptionalInt integer(String name) {
    return name.equals("fp") ? OptionalInt.of(8) : number(name, INTEGER, 'x');
  }

  /** The number of a floating-point register: ft0 to ft11, f0 to f31. */
  public static OptionalInt floating(String name) {
    return number(name, FLOATING, 'f');
  }

  private static OptionalInt number(String name, List<String> names, char prefix) {
    int index = names.indexOf(name);
    if (index >= 0) {
      return OptionalInt.of(index);
    }
    for (int i = 0; i < 32; i++) {
      if (name.length() > 1 && name.charAt(0) == prefix && name.substring(1).equals(Integer.toString(i))) {
        return OptionalInt.of(i);
      }
    }
    return OptionalInt.empty();
  }

  /** The ABI name of integer register 0 to 31. */
  public static String integer(int number) {
    return INTEGER.get(number);
  }

  /** The ABI name of floating-point register 0 to 31. */
  public static String floating(int number) {
    return FLOATING.get(number);
  }

  /** The number of a control and status register. */
  public static OptionalInt csr(String name) {
    Integer number = CSR_BY_NAME.get(name);
    return number == null ? OptionalInt.empty() : OptionalInt.of(number);
  }

  /** The name of a control and status register, if it is a standard one. */
  public static Optional<String> csr(int number) {
    return Optional.ofNullable(CSR_BY_NUMBER.get(number));
  }
}
