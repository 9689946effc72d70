package org.ascus.polyglot.firmware;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import org.ascus.isa.riscv.RiscvDialect;

/** Assembly source among the resources of this package. */
final class GuestSource {
  private static final long START = 0x8000_0000L;

  private GuestSource() {}

  /** The machine code of resource {@code name}, for the start of RAM. */
  static byte[] assemble(String name) {
    try (InputStream in = GuestSource.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("resource " + name + " is missing");
      }
      String source = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      return RiscvDialect.assembler().assemble(source, START).bytes();
    } catch (IOException e) {
      throw new UncheckedIOException("resource " + name, e);
    }
  }
}
