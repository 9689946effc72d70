package org.ascus.isa.riscv;

/** Exception and interrupt codes of mcause/scause (privileged specification, table "mcause values after trap"). */
final class Cause {
  static final int FETCH_MISALIGNED = 0;
  static final int FETCH_ACCESS = 1;
  static final int ILLEGAL = 2;
  static final int BREAKPOINT = 3;
  static final int LOAD_MISALIGNED = 4;
  static final int LOAD_ACCESS = 5;
  static final int STORE_MISALIGNED = 6;
  static final int STORE_ACCESS = 7;
  static final int ECALL_U = 8;
  static final int ECALL_S = 9;
  static final int ECALL_M = 11;
  static final int FETCH_PAGE = 12;
  static final int LOAD_PAGE = 13;
  static final int STORE_PAGE = 15;

  static final int SSI = 1;
  static final int MSI = 3;
  static final int STI = 5;
  static final int MTI = 7;
  static final int SEI = 9;
  static final int MEI = 11;

  private Cause() {}
}
