package org.ascus.devices.fdt;

import java.util.List;

/**
 * A device tree with what its blob holds besides.
 *
 * @param root the root node
 * @param reservations memory that the guest must leave alone
 * @param bootCpu physical id of the boot CPU
 */
public record Fdt(FdtNode root, List<Reservation> reservations, int bootCpu) {
  /** {@code size} bytes of physical memory at {@code address}. */
  public record Reservation(long address, long size) {}

  public Fdt {
    reservations = List.copyOf(reservations);
  }

  public static Fdt of(FdtNode root) {
    return new Fdt(root, List.of(), 0);
  }
}
