package org.ascus.polyglot;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.ascus.devices.board.riscv.Firmware;

/**
 * What the machine starts with.
 *
 * @param firmware {@code -bios}; empty for the default, see {@link DefaultFirmware}
 * @param kernel {@code -kernel}
 * @param initrd {@code -initrd}
 * @param append {@code -append}: the kernel's command line; empty for none
 * @param dtb {@code -dtb}
 * @param pflash {@code -pflash}: contents of the flash banks, in order; a bank without contents is blank
 */
public record BootOptions(
    Optional<Firmware> firmware,
    Optional<Path> kernel,
    Optional<Path> initrd,
    String append,
    Optional<Path> dtb,
    List<Optional<Path>> pflash) {
  /** The default firmware and nothing else. */
  public static final BootOptions DEFAULT =
      new BootOptions(Optional.empty(), Optional.empty(), Optional.empty(), "", Optional.empty(), List.of());

  public BootOptions {
    pflash = List.copyOf(pflash);
  }
}
