package org.ascus.isa.riscv;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Registers by name: general and floating-point ones by number or ABI name, pc, and the usual CSRs. */
final class RiscvRegisters {
  private static final Map<String, Integer> NUMBERS = RiscvHart.abiNumbers();
  private static final Map<String, Integer> CSRS = csrs();

  private RiscvRegisters() {}

  private static Map<String, Integer> csrs() {
    Map<String, Integer> map = new LinkedHashMap<>();
    map.put("mhartid", 0xf14);
    map.put("mstatus", 0x300);
    map.put("mip", 0x344);
    map.put("mie", 0x304);
    map.put("mideleg", 0x303);
    map.put("medeleg", 0x302);
    map.put("mtvec", 0x305);
    map.put("stvec", 0x105);
    map.put("mepc", 0x341);
    map.put("sepc", 0x141);
    map.put("mcause", 0x342);
    map.put("scause", 0x142);
    map.put("mtval", 0x343);
    map.put("stval", 0x143);
    map.put("mscratch", 0x340);
    map.put("sscratch", 0x140);
    map.put("satp", 0x180);
    map.put("sstatus", 0x100);
    map.put("sie", 0x104);
    map.put("sip", 0x144);
    map.put("misa", 0x301);
    map.put("mcounteren", 0x306);
    map.put("scounteren", 0x106);
    map.put("menvcfg", 0x30a);
    map.put("senvcfg", 0x10a);
    map.put("stimecmp", 0x14d);
    map.put("fflags", 1);
    map.put("frm", 2);
    map.put("fcsr", 3);
    return map;
  }

  static List<String> names() {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < 32; i++) {
      names.add("x" + i);
    }
    names.add("pc");
    for (int i = 0; i < 32; i++) {
      names.add("f" + i);
    }
    names.addAll(CSRS.keySet());
    names.add("priv");
    return List.copyOf(names);
  }

  static long get(RiscvHart hart, String name) {
    Integer slot = NUMBERS.get(name);
    if (slot != null) {
      return hart.regs[slot];
    }
    if (name.equals("pc")) {
      return hart.pc;
    }
    if (name.equals("priv")) {
      return hart.mode;
    }
    Integer csr = CSRS.get(name);
    if (csr == null) {
      throw new IllegalArgumentException("no register '" + name + "'");
    }
    return hart.csrs.read(csr);
  }

  static void set(RiscvHart hart, String name, long value) {
    Integer slot = NUMBERS.get(name);
    if (slot != null) {
      if (slot != 0) {
        hart.regs[slot] = value;
      }
    } else if (name.equals("pc")) {
      hart.pc = value;
    } else if (name.equals("priv")) {
      if (value != 0 && value != 1 && value != 3) {
        throw new IllegalArgumentException("no privilege mode " + value);
      }
      hart.mode = (int) value;
      hart.updateContext();
    } else if (CSRS.containsKey(name)) {
      hart.csrs.write(CSRS.get(name), value);
    } else {
      throw new IllegalArgumentException("no register '" + name + "'");
    }
  }

  /**
   * The registers as text.
   *
   * @param floats with those of the floating-point unit
   */
  static String describe(RiscvHart hart, boolean floats) {
    StringBuilder out = new StringBuilder();
    out.append(String.format(" %-8s %016x%n", "pc", hart.pc));
    for (Map.Entry<String, Integer> csr : CSRS.entrySet()) {
      if (csr.getValue() >= 0x100) {
        out.append(String.format(" %-8s %016x%n", csr.getKey(), hart.csrs.read(csr.getValue())));
      }
    }
    for (int i = 0; i < 32; i++) {
      out.append(String.format(" x%d/%-5s %016x%s", i, RiscvHart.ABI[i], hart.regs[i], i % 4 == 3 ? "\n" : ""));
    }
    for (int i = 0; floats && i < 32; i++) {
      out.append(String.format(" f%-7d %016x%s", i, hart.regs[RiscvHart.F0 + i], i % 4 == 3 ? "\n" : ""));
    }
    return out.toString();
  }
}
