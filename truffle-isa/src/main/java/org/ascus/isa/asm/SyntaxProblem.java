package org.ascus.isa.asm;

/** What is wrong with a statement; the assembler adds where. */
class SyntaxProblem extends RuntimeException {
  private static final long serialVersionUID = 1L;

  SyntaxProblem(String problem) {
    super(problem, null, false, false);
  }

  /** A symbol without a value so far: final in the second pass only. */
  static final class Undefined extends SyntaxProblem {
    private static final long serialVersionUID = 1L;

    Undefined(String name) {
      super("undefined symbol " + name);
    }
  }
}
