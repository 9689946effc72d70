package org.ascus.isa.riscv;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.ascus.isa.table.Instruction;
import org.ascus.isa.table.Shape;

/**
 * Generates the checked-in sources that follow from the instruction table. Run its main method in the directory
 * truffle-isa after a change to {@code riscv.isa}.
 */
public final class RiscvSources {
  private static final String PACKAGE = "src/main/java/org/ascus/isa/riscv/";
  private static final Set<Shape> ALU = Set.of(Shape.R, Shape.I, Shape.UNARY);

  private RiscvSources() {}

  /** Writes all generated files below the current directory. */
  public static void main(String[] args) throws IOException {
    for (var file : files().entrySet()) {
      Files.writeString(file.getKey(), file.getValue());
    }
  }

  /** The generated files, by their path from truffle-isa. */
  static Map<Path, String> files() {
    Map<Path, String> files = new LinkedHashMap<>();
    files.put(Path.of(PACKAGE + "RvOp.java"), rvOp());
    files.put(Path.of(PACKAGE + "RvAlu.java"), rvAlu());
    files.put(Path.of(PACKAGE + "RiscvInterpreter.java"), InterpreterSource.text());
    files.put(Path.of("../docs/supported-instructions.md"), SupportedInstructions.page(RiscvTable.get()));
    return files;
  }

  private static List<Instruction> base() {
    return RiscvTable.get().instructions().stream().filter(i -> !i.isCompressed()).toList();
  }

  private static String constant(Instruction instruction) {
    return instruction.name().replace('.', '_').toUpperCase(Locale.ROOT);
  }

  private static String header() {
    return """
        // Generated from riscv.isa by RiscvSources (test sources); do not edit.
        package org.ascus.isa.riscv;

        """;
  }

  private static String rvOp() {
    StringBuilder out = new StringBuilder(header());
    out.append("/** The numbers of the instructions in {@code riscv.isa}, compressed ones excepted. */\n");
    out.append("public final class RvOp {\n");
    for (Instruction i : base()) {
      out.append("  public static final int ").append(constant(i)).append(" = ").append(i.index()).append(";\n");
    }
    out.append("  /** One more than the highest number. */\n");
    out.append("  public static final int COUNT = ").append(base().getLast().index() + 1).append(";\n");
    return out.append("\n  private RvOp() {}\n}\n").toString();
  }

  private static String rvAlu() {
    StringBuilder out = new StringBuilder(header());
    out.append(
        """
        import org.ascus.isa.riscv.semantics.RvInteger;

        /** Calls the semantic method of an instruction by its number; folds to one call where that is constant. */
        public final class RvAlu {
          private RvAlu() {}

          /** The result of an instruction of shape R, I (b is the immediate) or UNARY (b is ignored). */
          public static long alu(int op, long a, long b) {
            return switch (op) {
        """);
    cases(out, base().stream().filter(i -> ALU.contains(i.shape())).toList());
    out.append(
        """
              default -> throw new AssertionError(op);
            };
          }

          /** Whether an instruction of shape BRANCH is taken. */
          public static boolean branch(int op, long a, long b) {
            return switch (op) {
        """);
    cases(out, base().stream().filter(i -> i.shape() == Shape.BRANCH).toList());
    return out.append("      default -> throw new AssertionError(op);\n    };\n  }\n}\n").toString();
  }

  private static void cases(StringBuilder out, List<Instruction> instructions) {
    Map<String, List<Instruction>> bySemantics = new LinkedHashMap<>();
    for (Instruction i : instructions) {
      bySemantics.computeIfAbsent(i.semantics(), name -> new ArrayList<>()).add(i);
    }
    bySemantics.forEach(
        (method, group) -> {
          List<String> labels = group.stream().map(i -> "RvOp." + constant(i)).toList();
          String arguments = group.getFirst().shape() == Shape.UNARY ? "(a)" : "(a, b)";
          out.append("      case ").append(String.join(", ", labels)).append(" -> RvInteger.").append(method);
          out.append(arguments).append(";\n");
        });
  }
}
