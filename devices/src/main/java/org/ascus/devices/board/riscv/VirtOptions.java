package org.ascus.devices.board.riscv;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.ascus.devices.chardev.CharBackend;

/**
 * What a user can choose about the board.
 *
 * @param ramSize bytes of RAM, {@code -m}
 * @param smp harts
 * @param kernel {@code -kernel}
 * @param initrd {@code -initrd}
 * @param append the kernel's command line; empty for none
 * @param dtb {@code -dtb}: a device tree instead of the board's own
 * @param firmware {@code -bios}
 * @param serials back ends of the serial ports, in order; a port without one drops its output
 * @param pflash files of the flash banks, in order, at most two; a bank without one is blank
 * @param legacyVirtio virtio-mmio slots show the layout before VIRTIO 1, as QEMU's do unless told otherwise
 * @param aclint the timer and software interrupts of the ACLINT specification in place of SiFive's CLINT
 * @param hostEpoch nanoseconds since 1970-01-01 UTC when guest time was 0
 * @param rngSeed entropy for the kernel, in the device tree; empty for none
 */
public record VirtOptions(
    long ramSize,
    int smp,
    Optional<Path> kernel,
    Optional<Path> initrd,
    String append,
    Optional<Path> dtb,
    Firmware firmware,
    List<CharBackend> serials,
    List<Optional<Path>> pflash,
    boolean legacyVirtio,
    boolean aclint,
    LongSupplier hostEpoch,
    byte[] rngSeed) {
  public VirtOptions {
    serials = List.copyOf(serials);
    pflash = List.copyOf(pflash);
    rngSeed = rngSeed.clone();
  }
}
