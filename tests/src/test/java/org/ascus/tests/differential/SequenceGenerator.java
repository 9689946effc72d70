package org.ascus.tests.differential;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.ascus.isa.decode.Decoder;
import org.ascus.isa.riscv.RiscvConfig;
import org.ascus.isa.riscv.RiscvTable;
import org.ascus.isa.table.Instruction;
import org.ascus.isa.table.Layout;
import org.ascus.isa.table.Shape;

/**
 * Makes random sequences out of every line of the instruction table that both emulators have.
 *
 * <p>Registers: sp, s0 and s1 point into the scratch memory and t6 to the results, so they are only read. Jumps go
 * forward, so every instruction runs at most once. Left out, because the result is not defined by the specification or
 * differs from it in QEMU 7.2:
 *
 * <ul>
 *   <li>atomics but lr at an address that is not aligned: QEMU reports a misaligned load
 *   <li>sc after an lr of the other size or a store into the reservation, which may succeed or fail: an sc comes with
 *       its lr, or in a sequence that has none before it, where it fails
 *   <li>atomics outside of RAM: QEMU reports a load fault
 *   <li>ctzw of a register whose low word is 0: QEMU counts on in the high word
 *   <li>accesses outside of RAM that are not aligned: QEMU reports the address of the aligned part
 *   <li>csrrs and csrrc of a read-only register with a register that holds 0: QEMU does not trap
 *   <li>mtval of ebreak, which may be 0 as in QEMU or the address; the handler records 0
 *   <li>which of Initial and Dirty mstatus.FS becomes: sequences start with Dirty
 *   <li>mret, sret, wfi and control registers that are free to differ
 * </ul>
 */
final class SequenceGenerator {
  static final int POOL = 2048;

  private static final int SP = 2;
  private static final int S0 = 8;
  private static final int S1 = 9;
  private static final int RESULTS = 31;
  private static final Set<Integer> KEPT = Set.of(SP, S0, S1, RESULTS);
  private static final Set<String> SYSTEM = Set.of("ecall", "ebreak", "fence.i", "sfence.vma");
  private static final int[] CSRS = {0x001, 0x002, 0x003, 0x340};

  private static final int[] ABSENT_CSRS = {0x004, 0x7ff, 0x9ff, 0xcff};

  /** Absent ones, and read-only ones, which trap when they are written. */
  private static final int[] TRAPPING_CSRS = {0x004, 0x7ff, 0x9ff, 0xcff, 0xf11, 0xf14};

  private final Random random;
  private final Decoder decoder;
  private final List<Instruction> lines = new ArrayList<>();
  private final Instruction jalr;
  private final Instruction auipc;
  private final Instruction addi;
  private final Instruction bseti;

  /** Places of instructions that need the one before them, so that no jump may go there. */
  private final Set<Integer> dependent = new TreeSet<>();

  /** Whether the sequence has an lr already. */
  private boolean reserved;

  /** A jump whose offset is not known yet. */
  private record Jump(Instruction line, int at, int rd, int rs1, int rs2) {}

  SequenceGenerator(long seed, RiscvConfig config) {
    random = new Random(seed);
    Set<String> extensions = new TreeSet<>(config.extensions());
    extensions.add("i");
    extensions.add("s");
    decoder = new Decoder(RiscvTable.get(), extensions);
    for (Instruction line : RiscvTable.get().instructions()) {
      boolean system = line.shape() == Shape.SYSTEM && !SYSTEM.contains(line.name());
      if (extensions.containsAll(line.extensions()) && !system && line.shape() != Shape.CBO) {
        lines.add(line);
      }
    }
    jalr = line("jalr");
    auipc = line("auipc");
    addi = line("addi");
    bseti = line("bseti");
  }

  private static Instruction line(String name) {
    return RiscvTable.get().find(name).orElseThrow();
  }

  Sequence next() {
    int wanted = 8 + random.nextInt(9);
    List<Integer> code = new ArrayList<>();
    List<Jump> jumps = new ArrayList<>();
    dependent.clear();
    reserved = false;
    while (code.size() < wanted) {
      if (random.nextInt(24) == 0) {
        code.add(illegal());
      } else {
        add(lines.get(random.nextInt(lines.size())), code, jumps);
      }
    }
    for (Jump jump : jumps) {
      resolve(jump, code);
    }
    int rounding = random.nextInt(8) == 0 ? 5 + random.nextInt(3) : random.nextInt(5);
    return new Sequence(
        List.copyOf(code),
        random.nextInt(POOL),
        random.nextInt(POOL),
        rounding << 5 | (random.nextBoolean() ? random.nextInt(32) : 0),
        random.nextInt(16) != 0,
        random.nextInt(3) == 0 ? 0 : random.nextInt(16));
  }

  private void add(Instruction line, List<Integer> code, List<Jump> jumps) {
    switch (line.shape()) {
      case LOAD, STORE, FLOAD, FSTORE -> code.add(access(line));
      case BRANCH, JAL -> {
        int bits = sample(line);
        Layout layout = line.layout();
        jumps.add(new Jump(line, code.size(), layout.rd(bits), layout.rs1(bits), layout.rs2(bits)));
        code.add(bits);
      }
      case JALR -> computedJump(line, code, jumps);
      case AMO -> atomic(line, code);
      case CSR_R, CSR_I -> code.add(controlRegister(line));
      case UNARY -> unary(line, code);
      default -> code.add(sample(line));
    }
  }

  /** Any encoding of the line that leaves the kept registers alone. */
  private int sample(Instruction line) {
    Layout layout = line.layout();
    if (line.name().equals("c.addi16sp")) {
      return encode(line, SP, SP, 0, random.nextBoolean() ? 16 : -16);
    }
    while (true) {
      int bits = line.match() | random.nextInt() & ~line.mask() & (line.length() == 2 ? 0xffff : -1);
      boolean kept = line.writesRd() && !line.rdIsFp() && KEPT.contains(layout.rd(bits));
      int rounding = line.shape().hasRoundingMode() ? layout.imm(bits) & 7 : 0;
      boolean avoided = (rounding == 5 || rounding == 6) && random.nextInt(8) != 0;
      if (line.matches(bits) && !kept && !avoided && isThisLine(line, bits)) {
        return bits;
      }
    }
  }

  private boolean isThisLine(Instruction line, int bits) {
    return decoder.find(bits).filter(found -> found.index() == line.index()).isPresent();
  }

  private static int encode(Instruction line, int rd, int rs1, int rs2, int imm) {
    OptionalInt operands = line.layout().encode(rd, rs1, rs2, imm);
    return line.match() | operands.orElseThrow(() -> new IllegalStateException(line.name() + " " + imm));
  }

  private int anyRd() {
    int rd = random.nextInt(32);
    while (KEPT.contains(rd)) {
      rd = random.nextInt(32);
    }
    return rd;
  }

  private int access(Instruction line) {
    Layout layout = line.layout();
    if (line.length() == 2) {
      while (true) {
        int bits = sample(line);
        int base = layout.rs1(bits);
        if (base == SP || base == S0 || base == S1) {
          return bits;
        }
      }
    }
    int rd = !line.writesRd() ? 0 : line.rdIsFp() ? random.nextInt(32) : anyRd();
    int rs2 = layout.hasRs2() ? random.nextInt(32) : layout.rs2(line.match());
    if (random.nextInt(24) == 0) {
      return encode(line, rd, 0, rs2, random.nextInt(1024) & -line.accessBytes());
    }
    int base = random.nextBoolean() ? S0 : S1;
    return encode(line, rd, base, rs2, random.nextInt(512) - 256);
  }

  private void atomic(Instruction line, List<Integer> code) {
    Layout layout = line.layout();
    boolean load = line.name().startsWith("lr.");
    reserved |= load;
    if (reserved && line.name().startsWith("sc.")) {
      return;
    }
    int base = load && random.nextInt(4) == 0 ? S1 : S0;
    int rs2 = layout.hasRs2() ? random.nextInt(32) : 0;
    code.add(encode(line, anyRd(), base, rs2, random.nextInt(4)));
    if (load && base == S0 && random.nextInt(4) != 0) {
      if (random.nextBoolean()) {
        code.add(sample(addi));
      }
      Instruction store = line("sc." + line.name().substring(3));
      code.add(encode(store, anyRd(), S0, random.nextInt(32), random.nextInt(4)));
    }
  }

  private void unary(Instruction line, List<Integer> code) {
    int bits = sample(line);
    int rd = line.layout().rd(bits);
    if (line.name().equals("ctzw") && rd != 0) {
      code.add(encode(bseti, rd, line.layout().rs1(bits), 0, random.nextInt(32)));
      dependent.add(code.size());
      bits = encode(line, rd, rd, line.layout().rs2(bits), line.layout().imm(bits));
    }
    code.add(bits);
  }

  private int controlRegister(Instruction line) {
    boolean sets = line.name().equals("csrrs") || line.name().equals("csrrc");
    int[] from = random.nextInt(8) == 0 ? sets ? ABSENT_CSRS : TRAPPING_CSRS : CSRS;
    return encode(line, anyRd(), random.nextInt(32), 0, from[random.nextInt(from.length)]);
  }

  private void computedJump(Instruction line, List<Integer> code, List<Jump> jumps) {
    int pointer = anyRd();
    while (pointer == 0) {
      pointer = anyRd();
    }
    code.add(encode(auipc, pointer, 0, 0, 0));
    dependent.add(code.size());
    if (line.length() == 2) {
      jumps.add(new Jump(addi, code.size(), pointer, pointer, 0));
      code.add(0x00000013);
      dependent.add(code.size());
      code.add(encode(line, line.layout().rd(line.match()), pointer, 0, 0));
    } else {
      jumps.add(new Jump(jalr, code.size(), anyRd(), pointer, 0));
      code.add(0x00000013);
    }
  }

  /** Makes {@code jump} go to one of the instructions after it, or to the end. */
  private void resolve(Jump jump, List<Integer> code) {
    boolean relativeToAuipc = jump.line == jalr || jump.line == addi;
    int last = jump.line == addi ? jump.at + 1 : jump.at;
    int target;
    do {
      target = last + 1 + random.nextInt(Math.min(5, code.size() - last));
    } while (dependent.contains(target));
    int from = relativeToAuipc ? jump.at - 1 : jump.at;
    int offset = code.subList(from, target).stream().mapToInt(Sequence::length).sum();
    if (jump.line == jalr && random.nextBoolean()) {
      offset++;
    }
    code.set(jump.at, encode(jump.line, jump.rd, jump.rs1, jump.rs2, offset));
  }

  /** An encoding close to a legal one that no instruction of the table has. */
  private int illegal() {
    while (true) {
      Instruction line = lines.get(random.nextInt(lines.size()));
      int width = line.length() * 8;
      int bits = line.match() | random.nextInt() & ~line.mask() & (width == 16 ? 0xffff : -1);
      bits ^= 1 << random.nextInt(width);
      if (random.nextInt(8) == 0) {
        bits = random.nextInt();
      }
      bits = Sequence.length(bits) == 2 ? bits & 0xffff : bits;
      if (decoder.find(bits).isEmpty()) {
        return bits;
      }
    }
  }

  /** Integers to start from: few bits set, limits, and any. */
  long[] integers() {
    long[] pool = new long[POOL + 32];
    for (int i = 0; i < pool.length; i++) {
      pool[i] =
          switch (random.nextInt(10)) {
            case 0 -> random.nextInt(8) - 4;
            case 1 -> 1L << random.nextInt(64);
            case 2 -> (1L << random.nextInt(64)) - 1;
            case 3 -> random.nextInt();
            case 4 -> random.nextInt() & 0xffffffffL;
            case 5 -> Long.MIN_VALUE >>> random.nextInt(2) * 32 >> random.nextInt(3);
            case 6 -> -(1L << random.nextInt(64));
            default -> random.nextLong();
          };
    }
    return pool;
  }

  /** Floating-point registers: both formats, special values, and singles that are not boxed. */
  long[] floats() {
    long[] pool = new long[POOL + 32];
    for (int i = 0; i < pool.length; i++) {
      boolean single = random.nextBoolean();
      long value = single ? number(8, 23) : number(11, 52);
      pool[i] = single && random.nextInt(16) != 0 ? value | -1L << 32 : value;
    }
    return pool;
  }

  private long number(int exponentBits, int fractionBits) {
    long maxExponent = (1L << exponentBits) - 1;
    long bias = maxExponent >> 1;
    long allFraction = (1L << fractionBits) - 1;
    long exponent =
        switch (random.nextInt(12)) {
          case 0, 1 -> 0;
          case 2, 3 -> maxExponent;
          case 4 -> 1 + random.nextInt(3);
          case 5 -> maxExponent - 1 - random.nextInt(3);
          case 6 -> random.nextLong() & maxExponent;
          case 7 -> bias + 28 + random.nextInt(8);
          case 8 -> bias + 60 + random.nextInt(7);
          default -> bias - 4 + random.nextInt(8);
        };
    long fraction =
        switch (random.nextInt(8)) {
          case 0, 1 -> 0;
          case 2 -> 1;
          case 3 -> allFraction;
          case 4 -> 1L << random.nextInt(fractionBits);
          case 5 -> allFraction & -1L << random.nextInt(fractionBits);
          default -> random.nextLong() & allFraction;
        };
    exponent = Math.clamp(exponent, 0, maxExponent);
    return random.nextLong() << exponentBits + fractionBits & 1L << exponentBits + fractionBits
        | exponent << fractionBits | fraction;
  }
}
