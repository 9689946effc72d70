package org.ascus.isa.riscv;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * What a hart implements: the result of {@code -cpu rv64,zba=off,sv48=on,...}.
 *
 * @param extensions the enabled ones, lower case, such as {@code m} or {@code zba}
 * @param maxSatpMode highest translation mode: 8 (Sv39), 9 (Sv48) or 10 (Sv57)
 * @param pmpRegions implemented PMP entries, 0 to 64
 */
public record RiscvConfig(Set<String> extensions, int maxSatpMode, int pmpRegions) {
  private static final String[] OPTIONAL = {
    "m", "a", "f", "d", "c", "zicsr", "zifencei", "zicntr", "zicbom", "zicboz", "zba", "zbb", "zbc", "zbs", "zicond",
    "sstc", "svinval", "svnapot", "svpbmt", "svadu"
  };

  public RiscvConfig {
    extensions = Set.copyOf(extensions);
  }

  /** Everything this emulator has. */
  public static RiscvConfig max() {
    return new RiscvConfig(Set.of(OPTIONAL), 10, 16);
  }

  /**
   * Reads a CPU model: a name, then switches {@code name=on|off}, {@code +name} or {@code -name}.
   *
   * @throws IllegalArgumentException naming the part that is wrong
   */
  public static RiscvConfig parse(String model) {
    String[] parts = model.split(",");
    if (!Set.of("rv64", "max", "any").contains(parts[0])) {
      throw new IllegalArgumentException("unable to find CPU model '" + parts[0] + "'");
    }
    Set<String> extensions = new TreeSet<>(max().extensions());
    int mode = 10;
    Map<String, Boolean> switches = new LinkedHashMap<>();
    for (int i = 1; i < parts.length; i++) {
      String part = parts[i];
      if (part.startsWith("+") || part.startsWith("-")) {
        switches.put(part.substring(1), part.startsWith("+"));
        continue;
      }
      int eq = part.indexOf('=');
      String value = eq < 0 ? "on" : part.substring(eq + 1);
      switch (value) {
        case "on", "true", "yes" -> switches.put(eq < 0 ? part : part.substring(0, eq), true);
        case "off", "false", "no" -> switches.put(part.substring(0, eq), false);
        default -> throw new IllegalArgumentException("'" + part + "': expected on or off, not '" + value + "'");
      }
    }
    int explicit = -1;
    for (Map.Entry<String, Boolean> s : switches.entrySet()) {
      boolean on = s.getValue();
      switch (s.getKey()) {
        case "sv39" -> explicit = on ? Math.max(explicit, 8) : explicit;
        case "sv48" -> {
          explicit = on ? Math.max(explicit, 9) : explicit;
          mode = on ? mode : Math.min(mode, 8);
        }
        case "sv57" -> {
          explicit = on ? Math.max(explicit, 10) : explicit;
          mode = on ? mode : Math.min(mode, 9);
        }
        case "i", "s", "u", "mmu", "pmp" -> {
          if (!on) {
            throw new IllegalArgumentException("'" + s.getKey() + "' cannot be switched off");
          }
        }
        case "svade" -> set(extensions, "svadu", !on);
        default -> {
          if (!max().extensions().contains(s.getKey())) {
            throw new IllegalArgumentException("Property 'rv64-riscv-cpu." + s.getKey() + "' not found");
          }
          set(extensions, s.getKey(), on);
        }
      }
    }
    if (!extensions.contains("zicsr")) {
      extensions.remove("f");
    }
    if (!extensions.contains("f")) {
      extensions.remove("d");
    }
    return new RiscvConfig(extensions, explicit >= 0 ? Math.min(mode, explicit) : mode, 16);
  }

  private static void set(Set<String> extensions, String name, boolean on) {
    if (on) {
      extensions.add(name);
    } else {
      extensions.remove(name);
    }
  }

  public boolean has(String extension) {
    return extensions.contains(extension);
  }

  /** The misa CSR: MXL=2 (64 bit) and a bit for each single-letter extension, with S and U. */
  public long misa() {
    long misa = 2L << 62 | bit('i') | bit('s') | bit('u');
    for (String e : extensions) {
      if (e.length() == 1) {
        misa |= bit(e.charAt(0));
      }
    }
    return misa;
  }

  private static long bit(char letter) {
    return 1L << (letter - 'a');
  }

  /** The {@code riscv,isa} property of the device tree. */
  public String deviceTreeIsa() {
    StringBuilder isa = new StringBuilder("rv64i");
    for (char c : "mafdc".toCharArray()) {
      if (has(String.valueOf(c))) {
        isa.append(c);
      }
    }
    for (String e : OPTIONAL) {
      if (e.length() > 1 && has(e)) {
        isa.append('_').append(e);
      }
    }
    return isa.toString();
  }

  /** The {@code mmu-type} property of the device tree. */
  public String deviceTreeMmu() {
    return switch (maxSatpMode) {
      case 8 -> "riscv,sv39";
      case 9 -> "riscv,sv48";
      default -> "riscv,sv57";
    };
  }

  /** Text of {@code -cpu help}. */
  public static String help() {
    return "max\nrv64\nany\n";
  }
}
