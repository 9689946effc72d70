package org.ascus.polyglot;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.ascus.devices.board.riscv.Firmware;
import org.ascus.polyglot.firmware.SbiFirmware;

/** {@code -bios default}: OpenSBI where distributions install it, otherwise an SBI implementation of our own. */
public final class DefaultFirmware {
  private static final List<Path> PLACES =
      List.of(
          Path.of("/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin"),
          Path.of("/usr/share/qemu/opensbi-riscv64-generic-fw_dynamic.bin"),
          Path.of("/usr/share/opensbi/lp64/generic/firmware/fw_dynamic.bin"));

  private DefaultFirmware() {}

  /** OpenSBI if it is installed, else {@link #builtIn}. */
  public static Firmware find() {
    for (Path place : PLACES) {
      if (Files.isReadable(place)) {
        return new Firmware.File(place);
      }
    }
    return builtIn();
  }

  /** {@code -bios builtin}: the SBI implementation that needs nothing installed. */
  public static Firmware builtIn() {
    return new Firmware.Bytes("builtin", SbiFirmware.bytes());
  }
}
