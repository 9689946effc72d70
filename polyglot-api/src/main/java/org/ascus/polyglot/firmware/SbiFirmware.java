package org.ascus.polyglot.firmware;

/**
 * An implementation of the RISC-V Supervisor Binary Interface 2.0 for the board {@code virt}: extensions base, time,
 * ipi, rfence, hsm, srst and dbcn, and the legacy calls, for up to 64 harts. It takes the board's boot protocol (a2
 * points to the address and mode of what is next), hides the first 512 KiB of RAM from the guest and closes them to S
 * and U mode by PMP. What it reads and writes for the guest it does with the rights of S mode.
 */
public final class SbiFirmware {
  private SbiFirmware() {}

  /** Its machine code, for the start of RAM. */
  public static byte[] bytes() {
    return GuestSource.assemble("sbi.s");
  }
}
