package org.ascus.isa.hostcode;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Encodes x86-64 machine code (Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2). Registers are
 * numbers; operands have 64 bits where {@code wide} is set and else 32, and then the result's upper half becomes zero.
 */
final class X64Assembler {
  static final int RAX = 0;
  static final int RCX = 1;
  static final int RDX = 2;
  static final int RBX = 3;
  static final int RSP = 4;
  static final int RBP = 5;
  static final int RSI = 6;
  static final int RDI = 7;
  static final int R8 = 8;
  static final int R9 = 9;
  static final int R10 = 10;
  static final int R11 = 11;
  static final int R12 = 12;
  static final int R13 = 13;
  static final int R14 = 14;
  static final int R15 = 15;

  /** Operations of two operands, by their number in the opcode. */
  static final int ADD = 0;

  static final int OR = 1;
  static final int AND = 4;
  static final int SUB = 5;
  static final int XOR = 6;
  static final int CMP = 7;

  /** Shifts, by their number in the opcode. */
  static final int ROL = 0;

  static final int ROR = 1;
  static final int SHL = 4;
  static final int SHR = 5;
  static final int SAR = 7;

  /** Operations on rdx:rax, by their number in the opcode. */
  static final int MUL = 4;

  static final int IMUL = 5;
  static final int DIV = 6;
  static final int IDIV = 7;

  /** Operations on floating-point numbers. */
  static final int ADD_FLOAT = 0x58;

  static final int MULTIPLY_FLOAT = 0x59;
  static final int SUBTRACT_FLOAT = 0x5c;
  static final int DIVIDE_FLOAT = 0x5e;
  static final int SQUARE_ROOT = 0x51;

  /** Conditions, by their number in the opcode. */
  static final int BELOW = 2;

  static final int ABOVE_EQUAL = 3;
  static final int EQUAL = 4;
  static final int NOT_EQUAL = 5;
  static final int BELOW_EQUAL = 6;
  static final int ABOVE = 7;
  static final int NO_OVERFLOW = 1;
  static final int PARITY = 10;
  static final int NO_PARITY = 11;
  static final int LESS = 12;
  static final int GREATER_EQUAL = 13;
  static final int LESS_EQUAL = 14;
  static final int GREATER = 15;

  /** A place in the code; jumps to it may come before it. */
  static final class Label {
    private int position = -1;
    private int[] uses = new int[2];
    private int count;
  }

  private byte[] code = new byte[4096];
  private int size;

  /** Jumps to what is not part of this code: where their distance goes, and the address. */
  private final List<long[]> far = new ArrayList<>();

  /** Where the next instruction goes, in bytes from the first. */
  int position() {
    return size;
  }

  /** The code, if its first byte is at {@code address}. */
  byte[] bytes(long address) {
    for (long[] jump : far) {
      patch((int) jump[0], Math.toIntExact(jump[1] - (address + jump[0] + 4)));
    }
    return Arrays.copyOf(code, size);
  }

  void bind(Label label) {
    label.position = size;
    for (int i = 0; i < label.count; i++) {
      patch(label.uses[i], size - (label.uses[i] + 4));
    }
  }

  int position(Label label) {
    return label.position;
  }

  private void patch(int at, int value) {
    for (int i = 0; i < 4; i++) {
      code[at + i] = (byte) (value >> 8 * i);
    }
  }

  void align(int bytes) {
    while (size % bytes != 0) {
      emit(0x90);
    }
  }

  private void emit(int value) {
    if (size == code.length) {
      code = Arrays.copyOf(code, 2 * size);
    }
    code[size++] = (byte) value;
  }

  private void emit32(int value) {
    for (int i = 0; i < 4; i++) {
      emit(value >> 8 * i);
    }
  }

  private void relative(Label label) {
    if (label.position >= 0) {
      emit32(label.position - (size + 4));
      return;
    }
    if (label.count == label.uses.length) {
      label.uses = Arrays.copyOf(label.uses, 2 * label.count);
    }
    label.uses[label.count++] = size;
    emit32(0);
  }

  private void rex(boolean wide, int reg, int index, int base, boolean always) {
    int prefix = 0x40 | (wide ? 8 : 0) | (reg >> 3) << 2 | (index >> 3) << 1 | base >> 3;
    if (always || prefix != 0x40) {
      emit(prefix);
    }
  }

  private void opcode(int value) {
    if (value > 0xff) {
      emit(value >> 8);
    }
    emit(value);
  }

  private void registers(boolean wide, int opcode, int reg, int rm, boolean always) {
    rex(wide, reg, 0, rm, always);
    opcode(opcode);
    emit(0xc0 | (reg & 7) << 3 | rm & 7);
  }

  private void memory(boolean wide, int opcode, int reg, int base, int displacement, boolean always) {
    rex(wide, reg, 0, base, always);
    opcode(opcode);
    boolean small = displacement == (byte) displacement;
    emit((small ? 0x40 : 0x80) | (reg & 7) << 3 | base & 7);
    if ((base & 7) == RSP) {
      emit(0x24);
    }
    displacement(small, displacement);
  }

  private void displacement(boolean small, int displacement) {
    if (small) {
      emit(displacement);
    } else {
      emit32(displacement);
    }
  }

  private void indexed(boolean wide, int opcode, int reg, int base, int index, int displacement) {
    rex(wide, reg, index, base, false);
    opcode(opcode);
    boolean small = displacement == (byte) displacement;
    emit((small ? 0x44 : 0x84) | (reg & 7) << 3);
    emit((index & 7) << 3 | base & 7);
    displacement(small, displacement);
  }

  void move(boolean wide, int to, int from) {
    registers(wide, 0x8b, to, from, false);
  }

  void move(int to, long value) {
    if (value == 0) {
      alu(XOR, false, to, to);
    } else if (value >>> 32 == 0) {
      rex(false, 0, 0, to, false);
      emit(0xb8 | to & 7);
      emit32((int) value);
    } else if (value == (int) value) {
      registers(true, 0xc7, 0, to, false);
      emit32((int) value);
    } else {
      rex(true, 0, 0, to, false);
      emit(0xb8 | to & 7);
      emit32((int) value);
      emit32((int) (value >> 32));
    }
  }

  /** Loads 2<sup>{@code widthLog2}</sup> bytes, made 64 bits. */
  void load(int to, int base, int displacement, int widthLog2, boolean signed) {
    int opcode =
        switch (widthLog2) {
          case 0 -> signed ? 0x0fbe : 0x0fb6;
          case 1 -> signed ? 0x0fbf : 0x0fb7;
          case 2 -> signed ? 0x63 : 0x8b;
          default -> 0x8b;
        };
    memory(signed || widthLog2 == 3, opcode, to, base, displacement, false);
  }

  void store(int from, int base, int displacement, int widthLog2) {
    if (widthLog2 == 1) {
      emit(0x66);
    }
    // Without a prefix the byte registers 4 to 7 would be others.
    memory(widthLog2 == 3, widthLog2 == 0 ? 0x88 : 0x89, from, base, displacement, widthLog2 == 0);
  }

  /** Swaps a register with memory, in one atomic step. */
  void exchange(int register, int base, int displacement, boolean wide) {
    memory(wide, 0x87, register, base, displacement, false);
  }

  /** Adds a register to memory in one atomic step, and has in it what was there. */
  void exchangeAdd(int register, int base, int displacement, boolean wide) {
    emit(0xf0);
    memory(wide, 0x0fc1, register, base, displacement, false);
  }

  /** Stores a register in one atomic step if rax is in memory, which makes both equal; else rax becomes what is. */
  void compareExchange(int register, int base, int displacement, boolean wide) {
    emit(0xf0);
    memory(wide, 0x0fb1, register, base, displacement, false);
  }

  /** An access to the stack that no other passes. */
  void fence() {
    emit(0xf0);
    aluMemoryConstant(OR, false, RSP, 0, 0);
  }

  void alu(int operation, boolean wide, int to, int from) {
    registers(wide, operation << 3 | 3, to, from, false);
  }

  void alu(int operation, boolean wide, int to, int base, int displacement) {
    memory(wide, operation << 3 | 3, to, base, displacement, false);
  }

  void aluIndexed(int operation, int to, int base, int index, int displacement) {
    indexed(true, operation << 3 | 3, to, base, index, displacement);
  }

  void aluConstant(int operation, boolean wide, int to, int value) {
    boolean small = value == (byte) value;
    registers(wide, small ? 0x83 : 0x81, operation, to, false);
    displacement(small, value);
  }

  /** With a constant, on memory. */
  void aluMemoryConstant(int operation, boolean wide, int base, int displacement, int value) {
    boolean small = value == (byte) value;
    memory(wide, small ? 0x83 : 0x81, operation, base, displacement, false);
    displacement(small, value);
  }

  void test(boolean wide, int a, int b) {
    registers(wide, 0x85, a, b, false);
  }

  void multiply(boolean wide, int to, int from) {
    registers(wide, 0x0faf, to, from, false);
  }

  void multiply(boolean wide, int to, int base, int displacement) {
    memory(wide, 0x0faf, to, base, displacement, false);
  }

  /** {@link #MUL} and its kin. */
  void accumulate(int operation, boolean wide, int operand) {
    registers(wide, 0xf7, operation, operand, false);
  }

  /** Sign-extends rax into rdx. */
  void extendAccumulator(boolean wide) {
    rex(wide, 0, 0, 0, false);
    emit(0x99);
  }

  void negate(boolean wide, int register) {
    registers(wide, 0xf7, 3, register, false);
  }

  void shift(int operation, boolean wide, int to, int count) {
    registers(wide, 0xc1, operation, to, false);
    emit(count);
  }

  /** By the count in cl. */
  void shiftByCl(int operation, boolean wide, int to) {
    registers(wide, 0xd3, operation, to, false);
  }

  /** Makes a byte, half or word 64 bits or 32. */
  void signExtend(boolean wide, int to, int from, int widthLog2) {
    int opcode = widthLog2 == 0 ? 0x0fbe : widthLog2 == 1 ? 0x0fbf : 0x63;
    registers(wide, opcode, to, from, widthLog2 == 0);
  }

  void swapBytes(int register) {
    rex(true, 0, 0, register, false);
    emit(0x0f);
    emit(0xc8 | register & 7);
  }

  /** lzcnt, for processors that have it. */
  void leadingZeros(boolean wide, int to, int from) {
    counted(0x0fbd, wide, to, from);
  }

  /** tzcnt, for processors that have it. */
  void trailingZeros(boolean wide, int to, int from) {
    counted(0x0fbc, wide, to, from);
  }

  /** popcnt, for processors that have it. */
  void ones(boolean wide, int to, int from) {
    counted(0x0fb8, wide, to, from);
  }

  private void counted(int opcode, boolean wide, int to, int from) {
    emit(0xf3);
    registers(wide, opcode, to, from, false);
  }

  // ---- floating point, of 64 bits if wide and of 32 if not ----

  /** Copies the bits of {@code from} into floating-point register {@code to}. */
  void toFloat(boolean wide, int to, int from) {
    emit(0x66);
    registers(wide, 0x0f6e, to, from, false);
  }

  /** Copies the bits of floating-point register {@code from}. */
  void fromFloat(boolean wide, int to, int from) {
    emit(0x66);
    registers(wide, 0x0f7e, from, to, false);
  }

  void loadFloat(boolean wide, int to, int base, int displacement) {
    emit(wide ? 0xf3 : 0x66);
    memory(false, wide ? 0x0f7e : 0x0f6e, to, base, displacement, false);
  }

  /** One of {@link #ADD_FLOAT} and its kin. */
  void floating(int operation, boolean wide, int to, int from) {
    emit(wide ? 0xf2 : 0xf3);
    registers(false, 0x0f00 | operation, to, from, false);
  }

  /** To the other width; {@code wide} is that of {@code from}. */
  void convertFloat(boolean wide, int to, int from) {
    floating(0x5a, wide, to, from);
  }

  /** Compares; it is invalid that one is not a number if {@code signals}, else if one signals. */
  void compareFloats(boolean signals, boolean wide, int a, int b) {
    if (wide) {
      emit(0x66);
    }
    registers(false, signals ? 0x0f2f : 0x0f2e, a, b, false);
  }

  void zeroFloat(int register) {
    registers(false, 0x0f57, register, register, false);
  }

  /** From an integer of 64 bits if {@code isLong}, else of 32. */
  void floatFromInteger(boolean wide, boolean isLong, int to, int from) {
    emit(wide ? 0xf2 : 0xf3);
    registers(isLong, 0x0f2a, to, from, false);
  }

  /** To an integer of 64 bits if {@code isLong}, else of 32; the smallest one if it is invalid. */
  void integerFromFloat(boolean wide, boolean isLong, boolean towardZero, int to, int from) {
    emit(wide ? 0xf2 : 0xf3);
    registers(isLong, towardZero ? 0x0f2c : 0x0f2d, to, from, false);
  }

  /** Adds the product of {@code a} and {@code b}, which are below 8, to {@code to}, rounded once. */
  void fusedMultiplyAdd(boolean wide, int to, int a, int b) {
    emit(0xc4);
    emit(0xe2);
    emit((wide ? 0x80 : 0) | (~a & 15) << 3 | 1);
    emit(0xb9);
    emit(0xc0 | to << 3 | b);
  }

  /** Has the register of floating-point exceptions and rounding what is in memory. */
  void loadExceptions(int base, int displacement) {
    memory(false, 0x0fae, 2, base, displacement, false);
  }

  void storeExceptions(int base, int displacement) {
    memory(false, 0x0fae, 3, base, displacement, false);
  }

  /** Stores 32 bits. */
  void storeConstant(int value, int base, int displacement) {
    memory(false, 0xc7, 0, base, displacement, false);
    emit32(value);
  }

  /** Compares 32 bits in memory with {@code value}. */
  void compareConstant(int value, int base, int displacement) {
    memory(false, 0x81, 7, base, displacement, false);
    emit32(value);
  }

  // ---- the rest ----

  /** A byte that is no instruction. */
  void constant(int value) {
    emit(value);
  }

  /** 1 or 0, in 64 bits. */
  void set(int condition, int to) {
    registers(false, 0x0f90 | condition, 0, to, true);
    registers(false, 0x0fb6, to, to, true);
  }

  void lea(int to, int base, int displacement) {
    memory(true, 0x8d, to, base, displacement, false);
  }

  /** The sum of two registers; {@code index} is not rsp. */
  void lea(boolean wide, int to, int base, int index) {
    indexed(wide, 0x8d, to, base, index, 0);
  }

  /** As {@link #lea(int, int, int)}, always of seven bytes; {@code base} is not rsp or r12. */
  void longLea(int to, int base, int displacement) {
    rex(true, to, 0, base, true);
    emit(0x8d);
    emit(0x80 | (to & 7) << 3 | base & 7);
    emit32(displacement);
  }

  void jump(Label label) {
    emit(0xe9);
    relative(label);
  }

  /** {@code old}, the eight bytes at {@code address}, with a jump to {@code target} in place of the first five. */
  static long jump(long old, long address, long target) {
    return old & -1L << 40 | (target - (address + 5) & 0xffffffffL) << 8 | 0xe9;
  }

  /** To the code at {@code address}. */
  void jumpFar(long address) {
    emit(0xe9);
    farRelative(address);
  }

  private void farRelative(long address) {
    far.add(new long[] {size, address});
    emit32(0);
  }

  void jumpIf(int condition, Label label) {
    emit(0x0f);
    emit(0x80 | condition);
    relative(label);
  }

  /** As {@link #jumpIf} and {@link #jumpFar}. */
  void jumpFarIf(int condition, long address) {
    emit(0x0f);
    emit(0x80 | condition);
    farRelative(address);
  }

  void jumpTo(int register) {
    registers(false, 0xff, 4, register, false);
  }

  void jumpToMemory(int base, int displacement) {
    memory(false, 0xff, 4, base, displacement, false);
  }

  void push(int register) {
    rex(false, 0, 0, register, false);
    emit(0x50 | register & 7);
  }

  void pop(int register) {
    rex(false, 0, 0, register, false);
    emit(0x58 | register & 7);
  }

  void ret() {
    emit(0xc3);
  }
}
