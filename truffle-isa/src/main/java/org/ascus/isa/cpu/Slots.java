package org.ascus.isa.cpu;

/** What {@link VCpu#regs} has where: the guest's registers, and behind them what host code and its callers tell. */
public final class Slots {
  /** Slots of the register file. */
  public static final int REGISTERS = 64;

  /** {@link VCpu#pc} for host code, and when it returns. */
  public static final int PC = REGISTERS;

  /** {@link VCpu#budget}, when host code returns. */
  public static final int BUDGET = REGISTERS + 1;

  /** Where the head is of the region that has returned a step from host code. */
  public static final int HEAD = REGISTERS + 2;

  /** {@link VCpu#matchedMapping}, for host code. */
  public static final int MAPPING = REGISTERS + 3;

  /** Host address of the table of where host code goes on at an address; 0 if there is none. */
  public static final int TARGETS = REGISTERS + 4;

  /** {@link VCpu#ready}, for host code. */
  public static final int READY = REGISTERS + 5;

  /** Host code returns when it comes to this address by a return; not an address if odd. */
  public static final int STOP = REGISTERS + 6;

  /** {@link VCpu#context}, for host code. */
  public static final int CONTEXT = REGISTERS + 7;

  /** The host's register of floating-point exceptions, when host code returns. */
  public static final int EXCEPTIONS = REGISTERS + 8;

  /** What else there is in {@link org.ascus.isa.fp.FpStatus#flags}, for host code and when it returns. */
  public static final int FLAGS = REGISTERS + 9;

  /** Host address that the last load with a reservation has read, as long as the reservation stands; else -1. */
  public static final int RESERVATION = REGISTERS + 10;

  /** What that load has read, sign-extended. */
  public static final int RESERVED_VALUE = REGISTERS + 11;

  /** The register in which an ISA keeps its modes, for instructions that read and write it. */
  public static final int STATUS = REGISTERS + 12;

  /** How many there are. */
  public static final int COUNT = REGISTERS + 14;

  private Slots() {}
}
