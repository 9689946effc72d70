package org.ascus.isa.bytecode;

import static java.lang.constant.ConstantDescs.CD_Object;
import static java.lang.constant.ConstantDescs.CD_byte;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_short;
import static java.lang.constant.ConstantDescs.CD_void;

import java.lang.classfile.CodeBuilder;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import org.ascus.machine.bus.host.HostMemory;

/**
 * Emits accesses to host memory and, without checks, to arrays. They go to the JDK's own {@code Unsafe} where it is
 * open to us, which the compilers know, and else by way of {@link HostMemory}: three methods, which they have to inline
 * again and again.
 */
final class HostAccess {
  /** Where {@link #prepare} keeps the {@code Unsafe}. */
  private static final int LOCAL = RegionAssembler.UNSAFE;

  private static final boolean DIRECT = HotSpotCompiler.find().isPresent();
  private static final ClassDesc UNSAFE = ClassDesc.of("jdk.internal.misc.Unsafe");
  private static final ClassDesc MEMORY = RegionAssembler.desc(HostMemory.class);
  private static final ClassDesc[] WIDTHS = {CD_byte, CD_short, CD_int, CD_long};
  private static final String[] NAMES = {"Byte", "Short", "Int", "Long"};

  private final CodeBuilder code;

  HostAccess(CodeBuilder code) {
    this.code = code;
  }

  /** At the start of the method. */
  void prepare() {
    if (DIRECT) {
      code.invokestatic(UNSAFE, "getUnsafe", MethodTypeDesc.of(UNSAFE)).astore(LOCAL);
    }
  }

  private void unsafe() {
    if (DIRECT) {
      code.aload(LOCAL);
    }
  }

  /** What {@link #element} takes as the offset of an array's first element. */
  static long firstElement() {
    return DIRECT ? HostMemory.ARRAY_BASE : 0;
  }

  /** Pushes the element at the offset in bytes that {@code offset} pushes, of the {@code long[]} in a local. */
  void element(int array, Runnable offset) {
    unsafe();
    code.aload(array);
    offset.run();
    if (DIRECT) {
      code.invokevirtual(UNSAFE, "getLong", MethodTypeDesc.of(CD_long, CD_Object, CD_long));
    } else {
      code.invokestatic(MEMORY, "getElement", MethodTypeDesc.of(CD_long, CD_long.arrayType(), CD_long));
    }
  }

  /** Pushes element {@code index} of the {@code long[]} in a local. */
  void get(int array, int index) {
    if (DIRECT) {
      element(array, () -> code.loadConstant(HostMemory.ARRAY_BASE + 8L * index));
    } else {
      code.aload(array).loadConstant(index).laload();
    }
  }

  /** Pops into element {@code index} of the {@code long[]} in a local, by way of the local {@code scratch}. */
  void put(int array, int index, int scratch) {
    code.lstore(scratch);
    unsafe();
    code.aload(array);
    if (DIRECT) {
      code.loadConstant(HostMemory.ARRAY_BASE + 8L * index).lload(scratch);
      code.invokevirtual(UNSAFE, "putLong", MethodTypeDesc.of(CD_void, CD_Object, CD_long, CD_long));
    } else {
      code.loadConstant(index).lload(scratch).lastore();
    }
  }

  /** Pushes what is in memory at the address that {@code address} pushes, as byte, short, int or long. */
  void load(int widthLog2, Runnable address) {
    unsafe();
    if (DIRECT) {
      code.aconst_null();
      address.run();
      code.invokevirtual(UNSAFE, "get" + NAMES[widthLog2], MethodTypeDesc.of(WIDTHS[widthLog2], CD_Object, CD_long));
    } else {
      address.run();
      code.invokestatic(MEMORY, "get" + NAMES[widthLog2], MethodTypeDesc.of(WIDTHS[widthLog2], CD_long));
    }
  }

  /** Puts what {@code value} pushes, a byte, short, int or long, to the address that {@code address} pushes. */
  void store(int widthLog2, Runnable address, Runnable value) {
    unsafe();
    if (DIRECT) {
      code.aconst_null();
      address.run();
      value.run();
      code.invokevirtual(
          UNSAFE, "put" + NAMES[widthLog2], MethodTypeDesc.of(CD_void, CD_Object, CD_long, WIDTHS[widthLog2]));
    } else {
      address.run();
      value.run();
      code.invokestatic(MEMORY, "put" + NAMES[widthLog2], MethodTypeDesc.of(CD_void, CD_long, WIDTHS[widthLog2]));
    }
  }
}
