package org.ascus.isa.table;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** All instructions of an ISA, numbered from 1 in the order of their lines. */
public final class InstructionTable {
  private final List<Instruction> instructions;
  private final Map<String, Instruction> byName;

  private InstructionTable(List<Instruction> instructions, Map<String, Instruction> byName) {
    this.instructions = List.copyOf(instructions);
    this.byName = byName;
  }

  /**
   * Reads a table in the format that the head of {@code riscv.isa} describes.
   *
   * @throws IllegalArgumentException naming {@code source} and the line that is wrong
   */
  public static InstructionTable parse(String source, String text) {
    return parse(source, text.getBytes(StandardCharsets.ISO_8859_1));
  }

  private static InstructionTable parse(String source, byte[] text) {
    List<Instruction> instructions = new ArrayList<>(512);
    Map<String, Instruction> byName = new HashMap<>(1024);
    int lineNumber = 0;
    for (int start = 0; start < text.length; ) {
      int end = start;
      while (end < text.length && text[end] != '\n') {
        end++;
      }
      lineNumber++;
      if (end > start && text[start] != '#') {
        try {
          Instruction instruction = LineParser.parse(text, start, end, instructions.size() + 1, byName);
          instructions.add(instruction);
          if (byName.put(instruction.name(), instruction) != null) {
            throw new IllegalArgumentException("a second " + instruction.name());
          }
        } catch (IllegalArgumentException e) {
          throw new IllegalArgumentException(source + ":" + lineNumber + ": " + e.getMessage(), e);
        }
      }
      start = end + 1;
    }
    return new InstructionTable(instructions, byName);
  }

  /** Reads a table from a resource next to {@code owner}. */
  public static InstructionTable ofResource(Class<?> owner, String name) {
    try (InputStream in = owner.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("no instruction table " + name + " next to " + owner.getName());
      }
      return parse(name, in.readAllBytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** All instructions; the one with index n is at n - 1. */
  public List<Instruction> instructions() {
    return instructions;
  }

  /** The instruction with this index, 1 to {@link #size()}. */
  public Instruction get(int index) {
    return instructions.get(index - 1);
  }

  /** The instruction with this mnemonic. */
  public Optional<Instruction> find(String name) {
    return Optional.ofNullable(byName.get(name));
  }

  /** The number of lines. */
  public int size() {
    return instructions.size();
  }

  /** The extensions that lines ask for, in the order of their first use. */
  public Set<String> extensions() {
    Set<String> names = new LinkedHashSet<>();
    for (Instruction instruction : instructions) {
      names.addAll(instruction.extensions());
    }
    return names;
  }
}
