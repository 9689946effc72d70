package org.ascus.isa.asm;

/** Source text that cannot be assembled; the message names the line, its text and what is wrong. */
public final class AssemblyException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int line;

  AssemblyException(int line, String text, String problem) {
    super("line " + line + ": " + text.strip() + ": " + problem);
    this.line = line;
  }

  /** The number of the line, from 1. */
  public int line() {
    return line;
  }
}
