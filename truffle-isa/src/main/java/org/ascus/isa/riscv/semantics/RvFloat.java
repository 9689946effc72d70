package org.ascus.isa.riscv.semantics;

import org.ascus.isa.fp.F32;
import org.ascus.isa.fp.F64;
import org.ascus.isa.fp.FpStatus;

/**
 * Semantics of the F and D instructions (unprivileged specification, chapters "F" and "D"), one method each, named
 * after the instruction. Floating-point registers are 64 bits wide; single precision values in them are NaN-boxed.
 * {@code rm} is a resolved rounding mode, 0 to 4.
 */
public final class RvFloat {
  private static final long BOX = 0xffffffff00000000L;
  private static final int SIGN = 1 << 31;
  private static final long SIGN_D = 1L << 63;

  private RvFloat() {}

  /** The single precision value in a register; anything not NaN-boxed reads as the canonical NaN. */
  public static int unbox(long register) {
    return (register & BOX) == BOX ? (int) register : F32.DEFAULT_NAN;
  }

  public static long box(int value) {
    return BOX | value & 0xffffffffL;
  }

  public static long fadd_s(FpStatus s, long a, long b, int rm) {
    return box(F32.add(s, unbox(a), unbox(b), rm));
  }

  public static long fadd_d(FpStatus s, long a, long b, int rm) {
    return F64.add(s, a, b, rm);
  }

  public static long fsub_s(FpStatus s, long a, long b, int rm) {
    return box(F32.sub(s, unbox(a), unbox(b), rm));
  }

  public static long fsub_d(FpStatus s, long a, long b, int rm) {
    return F64.sub(s, a, b, rm);
  }

  public static long fmul_s(FpStatus s, long a, long b, int rm) {
    return box(F32.mul(s, unbox(a), unbox(b), rm));
  }

  public static long fmul_d(FpStatus s, long a, long b, int rm) {
    return F64.mul(s, a, b, rm);
  }

  public static long fdiv_s(FpStatus s, long a, long b, int rm) {
    return box(F32.div(s, unbox(a), unbox(b), rm));
  }

  public static long fdiv_d(FpStatus s, long a, long b, int rm) {
    return F64.div(s, a, b, rm);
  }

  public static long fsqrt_s(FpStatus s, long a, int rm) {
    return box(F32.sqrt(s, unbox(a), rm));
  }

  public static long fsqrt_d(FpStatus s, long a, int rm) {
    return F64.sqrt(s, a, rm);
  }

  public static long fmadd_s(FpStatus s, long a, long b, long c, int rm) {
    return box(F32.fma(s, unbox(a), unbox(b), unbox(c), rm));
  }

  public static long fmadd_d(FpStatus s, long a, long b, long c, int rm) {
    return F64.fma(s, a, b, c, rm);
  }

  public static long fmsub_s(FpStatus s, long a, long b, long c, int rm) {
    return box(F32.fma(s, unbox(a), unbox(b), unbox(c) ^ SIGN, rm));
  }

  public static long fmsub_d(FpStatus s, long a, long b, long c, int rm) {
    return F64.fma(s, a, b, c ^ SIGN_D, rm);
  }

  public static long fnmsub_s(FpStatus s, long a, long b, long c, int rm) {
    return box(F32.fma(s, unbox(a) ^ SIGN, unbox(b), unbox(c), rm));
  }

  public static long fnmsub_d(FpStatus s, long a, long b, long c, int rm) {
    return F64.fma(s, a ^ SIGN_D, b, c, rm);
  }

  public static long fnmadd_s(FpStatus s, long a, long b, long c, int rm) {
    return box(F32.fma(s, unbox(a) ^ SIGN, unbox(b), unbox(c) ^ SIGN, rm));
  }

  public static long fnmadd_d(FpStatus s, long a, long b, long c, int rm) {
    return F64.fma(s, a ^ SIGN_D, b, c ^ SIGN_D, rm);
  }

  public static long fsgnj_s(long a, long b) {
    return box(unbox(a) & ~SIGN | unbox(b) & SIGN);
  }

  public static long fsgnjn_s(long a, long b) {
    return box(unbox(a) & ~SIGN | ~unbox(b) & SIGN);
  }

  public static long fsgnjx_s(long a, long b) {
    return box(unbox(a) ^ unbox(b) & SIGN);
  }

  public static long fsgnj_d(long a, long b) {
    return a & ~SIGN_D | b & SIGN_D;
  }

  public static long fsgnjn_d(long a, long b) {
    return a & ~SIGN_D | ~b & SIGN_D;
  }

  public static long fsgnjx_d(long a, long b) {
    return a ^ b & SIGN_D;
  }

  public static long fmin_s(FpStatus s, long a, long b) {
    return box(F32.min(s, unbox(a), unbox(b)));
  }

  public static long fmin_d(FpStatus s, long a, long b) {
    return F64.min(s, a, b);
  }

  public static long fmax_s(FpStatus s, long a, long b) {
    return box(F32.max(s, unbox(a), unbox(b)));
  }

  public static long fmax_d(FpStatus s, long a, long b) {
    return F64.max(s, a, b);
  }

  public static long feq_s(FpStatus s, long a, long b) {
    return F32.eq(s, unbox(a), unbox(b)) ? 1 : 0;
  }

  public static long feq_d(FpStatus s, long a, long b) {
    return F64.eq(s, a, b) ? 1 : 0;
  }

  public static long flt_s(FpStatus s, long a, long b) {
    return F32.lt(s, unbox(a), unbox(b)) ? 1 : 0;
  }

  public static long flt_d(FpStatus s, long a, long b) {
    return F64.lt(s, a, b) ? 1 : 0;
  }

  public static long fle_s(FpStatus s, long a, long b) {
    return F32.le(s, unbox(a), unbox(b)) ? 1 : 0;
  }

  public static long fle_d(FpStatus s, long a, long b) {
    return F64.le(s, a, b) ? 1 : 0;
  }

  public static long fclass_s(long a) {
    return F32.classify(unbox(a));
  }

  public static long fclass_d(long a) {
    return F64.classify(a);
  }

  public static long fcvt_w_s(FpStatus s, long a, int rm) {
    return F32.toInt32(s, unbox(a), rm);
  }

  public static long fcvt_w_d(FpStatus s, long a, int rm) {
    return F64.toInt32(s, a, rm);
  }

  public static long fcvt_s_w(FpStatus s, long a, int rm) {
    return box(F32.fromInt32(s, (int) a, rm));
  }

  public static long fcvt_d_w(FpStatus s, long a, int rm) {
    return F64.fromInt32(s, (int) a, rm);
  }

  public static long fcvt_wu_s(FpStatus s, long a, int rm) {
    return F32.toUint32(s, unbox(a), rm);
  }

  public static long fcvt_wu_d(FpStatus s, long a, int rm) {
    return F64.toUint32(s, a, rm);
  }

  public static long fcvt_s_wu(FpStatus s, long a, int rm) {
    return box(F32.fromUint32(s, (int) a, rm));
  }

  public static long fcvt_d_wu(FpStatus s, long a, int rm) {
    return F64.fromUint32(s, (int) a, rm);
  }

  public static long fcvt_l_s(FpStatus s, long a, int rm) {
    return F32.toInt64(s, unbox(a), rm);
  }

  public static long fcvt_l_d(FpStatus s, long a, int rm) {
    return F64.toInt64(s, a, rm);
  }

  public static long fcvt_s_l(FpStatus s, long a, int rm) {
    return box(F32.fromInt64(s, a, rm));
  }

  public static long fcvt_d_l(FpStatus s, long a, int rm) {
    return F64.fromInt64(s, a, rm);
  }

  public static long fcvt_lu_s(FpStatus s, long a, int rm) {
    return F32.toUint64(s, unbox(a), rm);
  }

  public static long fcvt_lu_d(FpStatus s, long a, int rm) {
    return F64.toUint64(s, a, rm);
  }

  public static long fcvt_s_lu(FpStatus s, long a, int rm) {
    return box(F32.fromUint64(s, a, rm));
  }

  public static long fcvt_d_lu(FpStatus s, long a, int rm) {
    return F64.fromUint64(s, a, rm);
  }

  public static long fcvt_s_d(FpStatus s, long a, int rm) {
    return box(F32.fromF64(s, a, rm));
  }

  public static long fcvt_d_s(FpStatus s, long a) {
    return F64.fromF32(s, unbox(a));
  }

  public static long fmv_x_w(long a) {
    return (int) a;
  }

  public static long fmv_w_x(long a) {
    return box((int) a);
  }

  public static long fmv_x_d(long a) {
    return a;
  }

  public static long fmv_d_x(long a) {
    return a;
  }
}
