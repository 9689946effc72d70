package org.ascus.devices.board.riscv;

import java.nio.file.Path;

/** What runs first, in M mode: {@code -bios}. */
public sealed interface Firmware {
  /** {@code -bios none}: the kernel itself starts, in M mode. */
  record None() implements Firmware {}

  /**
   * Firmware that does not come from a file.
   *
   * @param name for messages
   * @param data an ELF file, or bytes that run at the start of RAM
   */
  record Bytes(String name, byte[] data) implements Firmware {}

  /** {@code -bios file}. */
  record File(Path path) implements Firmware {}
}
