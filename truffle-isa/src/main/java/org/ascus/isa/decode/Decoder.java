package org.ascus.isa.decode;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.ascus.isa.table.Instruction;
import org.ascus.isa.table.InstructionTable;

/**
 * Decodes RISC-V instruction words by the enabled part of a table. Lines are found in two steps: by major opcode, then
 * by the field (funct3 or funct5) that tells that opcode's lines apart best; the few that remain are compared.
 * Immutable; one decoder serves all harts with the same extensions.
 */
public final class Decoder {
  private static final Instruction[] NONE = {};
  private static final int FUNCT3 = 12;
  private static final int FUNCT5 = 27;

  private record Bucket(int shift, int mask, Instruction[][] lines) {
    Instruction[] candidates(int bits) {
      return lines[bits >>> shift & mask];
    }

    int longest() {
      int longest = 0;
      for (Instruction[] candidates : lines) {
        longest = Math.max(longest, candidates.length);
      }
      return longest;
    }
  }

  private final Bucket[] words = new Bucket[32];
  private final Instruction[][] halfwords = new Instruction[32][];

  /** A decoder for the lines whose extensions are all in {@code extensions} (lower case, "i" included). */
  public Decoder(InstructionTable table, Set<String> extensions) {
    List<List<Instruction>> byOpcode = new ArrayList<>(32);
    List<List<Instruction>> byQuadrant = new ArrayList<>(32);
    for (int i = 0; i < 32; i++) {
      byOpcode.add(new ArrayList<>());
      byQuadrant.add(new ArrayList<>());
    }
    for (Instruction instruction : table.instructions()) {
      if (extensions.containsAll(instruction.extensions())) {
        boolean word = instruction.length() == 4;
        int match = instruction.match();
        (word ? byOpcode.get(match >>> 2 & 31) : byQuadrant.get(halfwordKey(match))).add(instruction);
      }
    }
    for (int i = 0; i < 32; i++) {
      Bucket byFunct3 = bucket(byOpcode.get(i), FUNCT3, 7);
      Bucket byFunct5 = bucket(byOpcode.get(i), FUNCT5, 31);
      words[i] = byFunct5.longest() < byFunct3.longest() ? byFunct5 : byFunct3;
      halfwords[i] = byQuadrant.get(i).toArray(NONE);
    }
  }

  private static int halfwordKey(int bits) {
    return (bits & 3) << 3 | bits >>> 13 & 7;
  }

  private static Bucket bucket(List<Instruction> lines, int shift, int mask) {
    Instruction[][] byField = new Instruction[mask + 1][];
    List<Instruction> found = new ArrayList<>();
    for (int value = 0; value <= mask; value++) {
      found.clear();
      for (Instruction line : lines) {
        int fixed = line.mask() >>> shift & mask;
        if ((value & fixed) == (line.match() >>> shift & fixed)) {
          found.add(line);
        }
      }
      byField[value] = found.isEmpty() ? NONE : found.toArray(NONE);
    }
    return new Bucket(shift, mask, byField);
  }

  /**
   * Decodes the instruction in {@code bits}: a word, or a halfword when the low two bits are not both set (the upper
   * half is then ignored).
   *
   * @return see {@link Packed}; compressed instructions come as what they expand onto; 0 if illegal
   */
  public long decode(int bits) {
    if ((bits & 3) == 3) {
      for (Instruction line : words[bits >>> 2 & 31].candidates(bits)) {
        if (line.matches(bits)) {
          return pack(line, bits);
        }
      }
      return Packed.ILLEGAL;
    }
    int half = bits & 0xffff;
    for (Instruction line : halfwords[halfwordKey(half)]) {
      if (line.matches(half)) {
        return pack(line, half);
      }
    }
    return Packed.ILLEGAL;
  }

  private static long pack(Instruction line, int bits) {
    var layout = line.layout();
    return Packed.of(
        line.baseIndex(), layout.rd(bits), layout.rs1(bits), layout.rs2(bits), layout.imm(bits), line.length());
  }

  /** The table's line for the instruction in {@code bits}: the compressed one for a halfword. */
  public Optional<Instruction> find(int bits) {
    boolean word = (bits & 3) == 3;
    int encoding = word ? bits : bits & 0xffff;
    Instruction[] lines = word ? words[bits >>> 2 & 31].candidates(bits) : halfwords[halfwordKey(encoding)];
    for (Instruction line : lines) {
      if (line.matches(encoding)) {
        return Optional.of(line);
      }
    }
    return Optional.empty();
  }
}
