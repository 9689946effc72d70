package org.ascus.machine.bus;

import java.util.Optional;

/**
 * RAM, or ROM when not {@code writable}.
 *
 * @param stores what takes guest writes to ROM, at the same offsets; if empty they are dropped and logged
 */
public record RamRegion(String name, GuestRam ram, boolean writable, Optional<MmioRegion> stores) implements Region {
  public RamRegion(String name, GuestRam ram, boolean writable) {
    this(name, ram, writable, Optional.empty());
  }

  @Override
  public long size() {
    return ram.size();
  }
}
