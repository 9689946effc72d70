package org.ascus.isa.riscv;

import org.ascus.isa.fp.FpStatus;
import org.ascus.isa.riscv.semantics.RvFloat;

/** Finds the semantic method of a floating-point instruction; folds away when {@code op} is a constant. */
public final class RvFpu {
  private RvFpu() {}

  /** The result of {@code op}, an F or D instruction that computes; operands it does not have are ignored. */
  public static long apply(int op, FpStatus s, long a, long b, long c, int rm) {
    return switch (op) {
      case RvOp.FADD_S -> RvFloat.fadd_s(s, a, b, rm);
      case RvOp.FADD_D -> RvFloat.fadd_d(s, a, b, rm);
      case RvOp.FSUB_S -> RvFloat.fsub_s(s, a, b, rm);
      case RvOp.FSUB_D -> RvFloat.fsub_d(s, a, b, rm);
      case RvOp.FMUL_S -> RvFloat.fmul_s(s, a, b, rm);
      case RvOp.FMUL_D -> RvFloat.fmul_d(s, a, b, rm);
      case RvOp.FDIV_S -> RvFloat.fdiv_s(s, a, b, rm);
      case RvOp.FDIV_D -> RvFloat.fdiv_d(s, a, b, rm);
      case RvOp.FSQRT_S -> RvFloat.fsqrt_s(s, a, rm);
      case RvOp.FSQRT_D -> RvFloat.fsqrt_d(s, a, rm);
      case RvOp.FMADD_S -> RvFloat.fmadd_s(s, a, b, c, rm);
      case RvOp.FMADD_D -> RvFloat.fmadd_d(s, a, b, c, rm);
      case RvOp.FMSUB_S -> RvFloat.fmsub_s(s, a, b, c, rm);
      case RvOp.FMSUB_D -> RvFloat.fmsub_d(s, a, b, c, rm);
      case RvOp.FNMSUB_S -> RvFloat.fnmsub_s(s, a, b, c, rm);
      case RvOp.FNMSUB_D -> RvFloat.fnmsub_d(s, a, b, c, rm);
      case RvOp.FNMADD_S -> RvFloat.fnmadd_s(s, a, b, c, rm);
      case RvOp.FNMADD_D -> RvFloat.fnmadd_d(s, a, b, c, rm);
      case RvOp.FSGNJ_S -> RvFloat.fsgnj_s(a, b);
      case RvOp.FSGNJ_D -> RvFloat.fsgnj_d(a, b);
      case RvOp.FSGNJN_S -> RvFloat.fsgnjn_s(a, b);
      case RvOp.FSGNJN_D -> RvFloat.fsgnjn_d(a, b);
      case RvOp.FSGNJX_S -> RvFloat.fsgnjx_s(a, b);
      case RvOp.FSGNJX_D -> RvFloat.fsgnjx_d(a, b);
      case RvOp.FMIN_S -> RvFloat.fmin_s(s, a, b);
      case RvOp.FMIN_D -> RvFloat.fmin_d(s, a, b);
      case RvOp.FMAX_S -> RvFloat.fmax_s(s, a, b);
      case RvOp.FMAX_D -> RvFloat.fmax_d(s, a, b);
      case RvOp.FEQ_S -> RvFloat.feq_s(s, a, b);
      case RvOp.FEQ_D -> RvFloat.feq_d(s, a, b);
      case RvOp.FLT_S -> RvFloat.flt_s(s, a, b);
      case RvOp.FLT_D -> RvFloat.flt_d(s, a, b);
      case RvOp.FLE_S -> RvFloat.fle_s(s, a, b);
      case RvOp.FLE_D -> RvFloat.fle_d(s, a, b);
      case RvOp.FCLASS_S -> RvFloat.fclass_s(a);
      case RvOp.FCLASS_D -> RvFloat.fclass_d(a);
      case RvOp.FCVT_W_S -> RvFloat.fcvt_w_s(s, a, rm);
      case RvOp.FCVT_S_W -> RvFloat.fcvt_s_w(s, a, rm);
      case RvOp.FCVT_W_D -> RvFloat.fcvt_w_d(s, a, rm);
      case RvOp.FCVT_D_W -> RvFloat.fcvt_d_w(s, a, rm);
      case RvOp.FCVT_WU_S -> RvFloat.fcvt_wu_s(s, a, rm);
      case RvOp.FCVT_S_WU -> RvFloat.fcvt_s_wu(s, a, rm);
      case RvOp.FCVT_WU_D -> RvFloat.fcvt_wu_d(s, a, rm);
      case RvOp.FCVT_D_WU -> RvFloat.fcvt_d_wu(s, a, rm);
      case RvOp.FCVT_L_S -> RvFloat.fcvt_l_s(s, a, rm);
      case RvOp.FCVT_S_L -> RvFloat.fcvt_s_l(s, a, rm);
      case RvOp.FCVT_L_D -> RvFloat.fcvt_l_d(s, a, rm);
      case RvOp.FCVT_D_L -> RvFloat.fcvt_d_l(s, a, rm);
      case RvOp.FCVT_LU_S -> RvFloat.fcvt_lu_s(s, a, rm);
      case RvOp.FCVT_S_LU -> RvFloat.fcvt_s_lu(s, a, rm);
      case RvOp.FCVT_LU_D -> RvFloat.fcvt_lu_d(s, a, rm);
      case RvOp.FCVT_D_LU -> RvFloat.fcvt_d_lu(s, a, rm);
      case RvOp.FCVT_S_D -> RvFloat.fcvt_s_d(s, a, rm);
      case RvOp.FCVT_D_S -> RvFloat.fcvt_d_s(s, a);
      case RvOp.FMV_X_W -> RvFloat.fmv_x_w(a);
      case RvOp.FMV_W_X -> RvFloat.fmv_w_x(a);
      case RvOp.FMV_X_D -> RvFloat.fmv_x_d(a);
      case RvOp.FMV_D_X -> RvFloat.fmv_d_x(a);
      default -> throw new IllegalArgumentException("not a floating-point instruction: " + op);
    };
  }
}
