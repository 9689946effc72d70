package org.ascus.isa.asm;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** One run of the assembler: the first pass gives symbols their addresses, the second produces the bytes. */
final class Assembly implements Expression.Scope {
  private static final int MAX_BYTES = 1 << 28;

  private final Assembler assembler;
  private final List<Statement> statements;
  private final long origin;
  private final Map<String, Long> symbols = new HashMap<>();
  private final Map<Integer, List<Long>> locals = new HashMap<>();
  private final Map<Integer, Integer> localsPassed = new HashMap<>();
  private ByteArrayOutputStream out = new ByteArrayOutputStream();
  private boolean secondPass;
  private boolean inCode;
  private long statementAddress;

  Assembly(Assembler assembler, List<Statement> statements, long origin) {
    this.assembler = assembler;
    this.statements = statements;
    this.origin = origin;
  }

  Program run() {
    pass();
    secondPass = true;
    out = new ByteArrayOutputStream(out.size());
    inCode = false;
    localsPassed.clear();
    pass();
    return new Program(origin, out.toByteArray(), Map.copyOf(symbols));
  }

  private void pass() {
    for (Statement statement : statements) {
      try {
        assemble(statement.text());
      } catch (SyntaxProblem.Undefined e) {
        // The first pass lets the undefined pass wherever it can do without the value.
        String hint = secondPass ? "" : " above this line (its value decides sizes; la takes labels further down)";
        throw new AssemblyException(statement.line(), statement.text(), e.getMessage() + hint);
      } catch (SyntaxProblem e) {
        throw new AssemblyException(statement.line(), statement.text(), e.getMessage());
      }
    }
  }

  private long address() {
    return origin + out.size();
  }

  private void assemble(String text) {
    String rest = text;
    while (true) {
      statementAddress = address();
      Cursor in = new Cursor(rest);
      String word = in.word();
      if (!word.isEmpty() && in.accept(":")) {
        label(word);
        rest = in.rest();
        continue;
      }
      if (word.isEmpty()) {
        in.expectEnd();
        return;
      }
      if (in.accept("=")) {
        define(word, in.rest());
      } else if (word.charAt(0) == '.') {
        directive(word, in.rest());
      } else {
        instruction(word, in.rest());
      }
      return;
    }
  }

  private void label(String name) {
    if (Character.isDigit(name.charAt(0))) {
      int number;
      try {
        number = Integer.parseInt(name);
      } catch (NumberFormatException e) {
        throw new SyntaxProblem("bad label " + name);
      }
      localsPassed.merge(number, 1, Integer::sum);
      if (!secondPass) {
        locals.computeIfAbsent(number, n -> new ArrayList<>()).add(address());
      }
      return;
    }
    Long earlier = symbols.put(name, address());
    if (!secondPass && earlier != null) {
      throw new SyntaxProblem("a second definition of " + name);
    }
    if (secondPass && earlier != null && earlier != address()) {
      throw new SyntaxProblem(name + " moved between the passes");
    }
  }

  private void define(String name, String expression) {
    try {
      symbols.put(name, evaluate(expression));
    } catch (SyntaxProblem.Undefined e) {
      if (secondPass) {
        throw e;
      }
    }
  }

  private void instruction(String mnemonic, String operands) {
    List<String> operandList = splitOperands(operands);
    Optional<List<String>> expansion = assembler.dialect().expand(mnemonic, operandList, this::evaluate);
    if (expansion.isPresent()) {
      for (String statement : expansion.get()) {
        assemble(statement);
      }
      return;
    }
    Assembler.Match match =
        assembler.find(mnemonic).orElseThrow(() -> new SyntaxProblem("unknown instruction " + mnemonic));
    int bits =
        secondPass
            ? InstructionEncoder.encode(
                match.line(), match.ordering(), assembler.dialect(), new Cursor(operands), this)
            : 0;
    emit(bits, match.line().length());
    inCode = true;
  }

  private void directive(String name, String operands) {
    switch (name) {
      case ".byte" -> data(operands, 1);
      case ".half", ".short", ".2byte" -> data(operands, 2);
      case ".word", ".4byte", ".long" -> data(operands, 4);
      case ".dword", ".8byte", ".quad" -> data(operands, 8);
      case ".ascii" -> strings(operands, false);
      case ".asciz", ".string" -> strings(operands, true);
      case ".space", ".zero", ".skip" -> space(operands);
      case ".align", ".p2align" -> {
        long power = evaluate(splitOperands(operands).getFirst());
        if (power < 0 || power > 27) {
          throw new SyntaxProblem("alignment 2^" + power + " is out of range");
        }
        align(1L << power);
      }
      case ".balign" -> align(evaluate(splitOperands(operands).getFirst()));
      case ".org" -> {
        long target = evaluate(operands);
        if (Long.compareUnsigned(target, address()) < 0) {
          throw new SyntaxProblem("0x" + Long.toHexString(target) + " is behind 0x" + Long.toHexString(address()));
        }
        fill(target - address(), 0);
      }
      case ".equ", ".set" -> {
        List<String> parts = splitOperands(operands);
        if (parts.size() != 2) {
          throw new SyntaxProblem("expected a name and a value");
        }
        define(parts.get(0), parts.get(1));
      }
      case ".globl", ".global", ".text", ".option", ".type", ".size" -> {}
      default -> throw new SyntaxProblem("unknown directive " + name);
    }
  }

  private void data(String operands, int bytes) {
    for (String operand : splitOperands(operands)) {
      long value = 0;
      if (secondPass) {
        value = evaluate(operand);
        long extended = bytes == 8 ? value : value >> 8 * bytes;
        if (bytes < 8 && extended != 0 && value >> 8 * bytes - 1 != -1) {
          throw new SyntaxProblem("value 0x" + Long.toHexString(value) + " does not fit " + bytes + " bytes");
        }
      }
      emit(value, bytes);
    }
    inCode = false;
  }

  private void strings(String operands, boolean terminated) {
    Cursor in = new Cursor(operands);
    do {
      // Escapes name bytes; everything else is written as UTF-8.
      for (byte b : bytes(in.string())) {
        emit(b, 1);
      }
      if (terminated) {
        emit(0, 1);
      }
    } while (in.accept(","));
    in.expectEnd();
    inCode = false;
  }

  private static byte[] bytes(String text) {
    boolean latin = text.chars().allMatch(c -> c < 0x100);
    return text.getBytes(latin ? StandardCharsets.ISO_8859_1 : StandardCharsets.UTF_8);
  }

  private void space(String operands) {
    List<String> parts = splitOperands(operands);
    long count = evaluate(parts.getFirst());
    fill(count, parts.size() > 1 ? (int) evaluate(parts.get(1)) : 0);
    inCode = false;
  }

  private void fill(long count, int value) {
    if (count < 0 || count > MAX_BYTES - out.size()) {
      throw new SyntaxProblem("cannot place " + count + " bytes here");
    }
    for (long i = 0; i < count; i++) {
      out.write(value);
    }
  }

  private void align(long alignment) {
    if (alignment <= 0) {
      throw new SyntaxProblem("bad alignment " + alignment);
    }
    long missing = Long.remainderUnsigned(address(), alignment);
    missing = missing == 0 ? 0 : alignment - missing;
    if (inCode && (missing & 1) == 0) {
      int[] nops = assembler.dialect().padding();
      if ((missing & 2) != 0) {
        emit(nops[0], 2);
        missing -= 2;
      }
      for (; missing > 0; missing -= 4) {
        emit(nops[1], 4);
      }
    }
    fill(missing, 0);
  }

  private void emit(long value, int bytes) {
    if (out.size() > MAX_BYTES) {
      throw new SyntaxProblem("the program is too large");
    }
    for (int i = 0; i < bytes; i++) {
      out.write((int) (value >> 8 * i));
    }
  }

  private long evaluate(String expression) {
    Cursor in = new Cursor(expression);
    long value = Expression.evaluate(in, this);
    in.expectEnd();
    return value;
  }

  @Override
  public long symbol(String name) {
    Long value = symbols.get(name);
    if (value == null) {
      throw new SyntaxProblem.Undefined(name);
    }
    return value;
  }

  @Override
  public long local(int number, boolean forward) {
    List<Long> addresses = locals.getOrDefault(number, List.of());
    int index = localsPassed.getOrDefault(number, 0) - (forward ? 0 : 1);
    if (index < 0 || index >= addresses.size()) {
      throw new SyntaxProblem.Undefined(number + (forward ? "f" : "b"));
    }
    return addresses.get(index);
  }

  @Override
  public long here() {
    return statementAddress;
  }

  /** Splits at commas outside quotes and parentheses. */
  static List<String> splitOperands(String operands) {
    List<String> parts = new ArrayList<>();
    int depth = 0;
    int start = 0;
    for (int i = 0; i < operands.length(); i++) {
      char c = operands.charAt(i);
      if (c == '"') {
        do {
          i += i < operands.length() && operands.charAt(i) == '\\' ? 2 : 1;
        } while (i < operands.length() && operands.charAt(i) != '"');
      } else if (c == '\'') {
        i += operands.startsWith("\\", i + 1) ? 2 : 1;
        i += operands.startsWith("'", i + 1) ? 1 : 0;
      } else if (c == '(') {
        depth++;
      } else if (c == ')') {
        depth--;
      } else if (c == ',' && depth == 0) {
        parts.add(operands.substring(start, i).strip());
        start = i + 1;
      }
    }
    if (!parts.isEmpty() || !operands.isBlank()) {
      parts.add(operands.substring(Math.min(start, operands.length())).strip());
    }
    return parts;
  }
}
