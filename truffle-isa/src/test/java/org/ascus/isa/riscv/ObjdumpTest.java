package org.ascus.isa.riscv;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.ascus.isa.asm.Assembler;
import org.ascus.isa.asm.Disassembler;
import org.ascus.isa.decode.Decoder;
import org.ascus.isa.decode.Packed;
import org.ascus.isa.table.Instruction;
import org.ascus.isa.table.InstructionTable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Compares with GNU objdump, where a RISC-V one is installed (Debian: binutils-riscv64-unknown-elf). */
class ObjdumpTest {
  private static final String PREFIX = "riscv64-unknown-elf-";
  private static final String MARCH =
      "-march=rv64imafdc_zba_zbb_zbc_zbs_zicsr_zifencei_zihintpause_zicbom_zicboz_svinval";
  private static final InstructionTable TABLE = RiscvTable.get();

  @TempDir Path directory;
  private final Disassembler disassembler = RiscvDialect.disassembler();
  private final Decoder decoder = new Decoder(TABLE, TABLE.extensions());

  @BeforeAll
  static void needsObjdump() {
    boolean found;
    try {
      found = new ProcessBuilder(PREFIX + "objdump", "--version").redirectErrorStream(true).start().waitFor() == 0;
    } catch (IOException | InterruptedException e) {
      found = false;
    }
    if (!found) {
      System.err.println("SKIPPED: ObjdumpTest needs " + PREFIX + "objdump (binutils-riscv64-unknown-elf)");
    }
    Assumptions.assumeTrue(found, "no " + PREFIX + "objdump");
  }

  private record Line(long pc, int bits, String text) {}

  private void run(Path output, String... command) throws Exception {
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    assertThat(process.waitFor()).as(() -> String.join(" ", command) + " > " + output).isZero();
  }

  /** An object file with these encodings. */
  private String object(List<Integer> encodings) throws Exception {
    StringBuilder source = new StringBuilder(".text\n.option norelax\n");
    for (int bits : encodings) {
      source.append((bits & 3) == 3 ? ".insn 4,0x" : ".insn 2,0x").append(Integer.toHexString(bits)).append('\n');
    }
    Path assembly = Files.writeString(directory.resolve("all.s"), source);
    String object = directory.resolve("all.o").toString();
    run(directory.resolve("as.log"), PREFIX + "as", MARCH, "-o", object, assembly.toString());
    return object;
  }

  private List<Line> objdump(String object, String... options) throws Exception {
    List<String> command = new ArrayList<>(List.of(PREFIX + "objdump", "-d", "-z"));
    command.addAll(List.of(options));
    command.add(object);
    Path listing = directory.resolve("listing");
    run(listing, command.toArray(String[]::new));
    List<Line> lines = new ArrayList<>();
    for (String line : Files.readAllLines(listing)) {
      String[] columns = line.split("\t", 3);
      if (columns.length == 3 && columns[0].endsWith(":")) {
        long pc = Long.parseLong(columns[0].strip().replace(":", ""), 16);
        lines.add(new Line(pc, Integer.parseUnsignedInt(columns[1].strip(), 16), clean(columns[2])));
      }
    }
    return lines;
  }

  /** Drops comments, puts one space after the mnemonic, gives targets as numbers. */
  private static String clean(String text) {
    int comment = text.indexOf('#');
    String result = (comment < 0 ? text : text.substring(0, comment)).strip().replace('\t', ' ');
    int symbol = result.indexOf(" <");
    if (symbol < 0) {
      return result;
    }
    int target = Math.max(result.lastIndexOf(',', symbol), result.lastIndexOf(' ', symbol - 1)) + 1;
    return result.substring(0, target) + "0x" + result.substring(target, symbol);
  }

  private static List<Integer> halfwords() {
    List<Integer> all = new ArrayList<>();
    for (int half = 0; half < 0x10000; half++) {
      if ((half & 3) != 3) {
        all.add(half);
      }
    }
    return all;
  }

  @Test
  void knowsEveryHalfwordAsObjdumpDoes() throws Exception {
    String object = object(halfwords());
    disassemblesAlike(objdump(object, "-M", "no-aliases"));
    expandsAlike(objdump(object));
  }

  private void disassemblesAlike(List<Line> lines) {
    assertThat(lines).hasSize(0xc000);
    List<String> differences = new ArrayList<>();
    for (Line line : lines) {
      String theirs =
          line.text
              .replaceFirst("^c\\.addi zero,0$", "c.nop")
              .replaceFirst("^(c\\.s[lr][la]i)64 (\\w+)$", "$1 $2,0x0")
              .replaceFirst("^(c\\.unimp|c\\.addi16sp sp,0)$", ".2byte 0x" + Integer.toHexString(line.bits));
      String ours = disassembler.disassemble(line.pc, line.bits);
      if (!ours.equals(theirs)) {
        differences.add(Integer.toHexString(line.bits) + ": ours " + ours + ", objdump " + theirs);
      }
    }
    assertThat(differences).isEmpty();
  }

  @Test
  void disassemblesWordsAlike() throws Exception {
    Random random = new Random(77);
    List<Integer> words = new ArrayList<>();
    for (int i = 0; i < 5_000; i++) {
      words.add(random.nextInt() | 3);
    }
    for (Instruction instruction : TABLE.instructions()) {
      for (int i = 0; i < 30 && instruction.length() == 4; i++) {
        words.add(random.nextInt() & ~instruction.mask() | instruction.match());
        words.add(random.nextInt() & instruction.layout().operandMask() | instruction.match());
      }
    }
    words.removeIf(bits -> (bits & 0x1f) == 0x1f); // longer than four bytes for objdump
    List<String> differences = new ArrayList<>();
    for (Line line : objdump(object(words), "-M", "no-aliases")) {
      String ours = disassembler.disassemble(line.pc, line.bits);
      String theirs = line.text;
      if (theirs.contains("unknown")) { // a reserved rounding mode or an empty fence set
        continue;
      }
      if (ours.startsWith("csr")) { // numbers of registers that RV64 with our extensions does not have
        theirs = theirs.replaceFirst(",[a-z]\\w+,", "," + ours.split(",")[1] + ",");
        ours = ours.replaceFirst(",[a-z]\\w+,", "," + ours.split(",")[1] + ",");
      }
      // Zicond is younger than some binutils, which also want rounding mode 0 in exact conversions.
      boolean unknown = theirs.startsWith(".") && (ours.startsWith("czero") || ours.startsWith("fcvt.d."));
      if (!unknown && !ours.equals(theirs)) {
        differences.add(Integer.toHexString(line.bits) + ": ours " + ours + ", objdump " + theirs);
      }
    }
    assertThat(differences).isEmpty();
  }

  private void expandsAlike(List<Line> lines) {
    Assembler assembler = RiscvDialect.assembler();
    List<String> differences = new ArrayList<>();
    int compared = 0;
    for (Line line : lines) {
      // c.mv is an addition here and an addi there; hints keep their compressed mnemonics.
      if (decoder.decode(line.bits) == Packed.ILLEGAL || line.text.startsWith("c.") || line.text.startsWith("mv")) {
        continue;
      }
      byte[] bytes = assembler.assemble(line.text, line.pc).bytes();
      long expected = decoder.decode(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt());
      long actual = decoder.decode(line.bits);
      long asWord =
          Packed.of(
              Packed.op(actual), Packed.rd(actual), Packed.rs1(actual), Packed.rs2(actual), Packed.imm(actual), 4);
      if ((bytes.length != 4 || expected != asWord || Packed.length(actual) != 2)) {
        differences.add(Integer.toHexString(line.bits) + ": " + line.text);
      }
      compared++;
    }
    assertThat(differences).isEmpty();
    assertThat(compared).isGreaterThan(40_000);
  }
}
