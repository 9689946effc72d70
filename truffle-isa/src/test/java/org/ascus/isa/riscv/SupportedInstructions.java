package org.ascus.isa.riscv;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.ascus.isa.table.Instruction;
import org.ascus.isa.table.InstructionTable;

/** Renders the page of supported instructions. */
final class SupportedInstructions {
  private static final Map<String, String> TITLES =
      Map.ofEntries(
          Map.entry("i", "I: base integer instructions, with the machine-mode ones"),
          Map.entry("m", "M: multiplication and division"),
          Map.entry("a", "A: atomics"),
          Map.entry("f", "F: single-precision floating point"),
          Map.entry("d", "D: double-precision floating point"),
          Map.entry("c", "C: compressed instructions"),
          Map.entry("c+d", "C with D: compressed double-precision loads and stores"),
          Map.entry("s", "S: supervisor mode"),
          Map.entry("zicsr", "Zicsr: control and status registers"),
          Map.entry("zifencei", "Zifencei: instruction-fetch fence"),
          Map.entry("svinval", "Svinval: fine-grained address-translation invalidation"),
          Map.entry("zicbom", "Zicbom: cache-block management"),
          Map.entry("zicboz", "Zicboz: cache-block zero"),
          Map.entry("zba", "Zba: address generation"),
          Map.entry("zbb", "Zbb: basic bit manipulation"),
          Map.entry("zbc", "Zbc: carry-less multiplication"),
          Map.entry("zbs", "Zbs: single bits"),
          Map.entry("zicond", "Zicond: conditional zero"));

  private SupportedInstructions() {}

  static String page(InstructionTable table) {
    Map<String, List<Instruction>> byExtension =
        table.instructions().stream()
            .collect(
                Collectors.groupingBy(
                    i -> String.join("+", i.extensions()), LinkedHashMap::new, Collectors.toList()));
    StringBuilder out = new StringBuilder();
    out.append(
        """
        # Supported instructions

        Generated from `truffle-isa/src/main/resources/org/ascus/isa/riscv/riscv.isa` by `RiscvSources`; do not edit.
        The encoding column shows the fixed bits, most significant first; dots are operands or ignored.

        Two fences have mnemonics of their own, `pause` (Zihintpause) and `fence.tso`. The prefetches of Zicbop are
        `ori` with `rd` = `zero` and do nothing.

        """);
    out.append("| Extension | Instructions |\n|---|---|\n");
    byExtension.forEach((name, lines) -> out.append(String.format("| %s | %d |\n", name, lines.size())));
    byExtension.forEach((name, lines) -> section(out, table, TITLES.getOrDefault(name, name), lines));
    return out.toString();
  }

  private static void section(StringBuilder out, InstructionTable table, String title, List<Instruction> lines) {
    boolean compressed = lines.getFirst().isCompressed();
    out.append("\n## ").append(title).append("\n\n");
    out.append(compressed ? "| Instruction | Operands | Encoding | Expands onto |\n|---|---|---|---|\n" : "");
    out.append(compressed ? "" : "| Instruction | Operands | Encoding |\n|---|---|---|\n");
    for (Instruction i : lines) {
      out.append("| ").append(i.name()).append(" | ");
      out.append(operands(i)).append(" | `").append(encoding(i)).append("` |");
      out.append(compressed ? " " + table.get(i.baseIndex()).name() + " |\n" : "\n");
    }
  }

  private static String operands(Instruction i) {
    String operands = i.syntax().replaceFirst("\\brm0?$", "rm").replace("upper", "imm20");
    return operands.isEmpty() ? "" : "`" + operands + "`";
  }

  private static String encoding(Instruction i) {
    StringBuilder bits = new StringBuilder();
    for (int bit = i.length() * 8 - 1; bit >= 0; bit--) {
      bits.append((i.mask() >>> bit & 1) == 0 ? "." : i.match() >>> bit & 1);
      bits.append(bit != 0 && bit % 8 == 0 ? " " : "");
    }
    return bits.toString();
  }
}
