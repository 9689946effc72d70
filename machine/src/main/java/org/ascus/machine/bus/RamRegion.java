package org.ascus.machine.bus;

/** RAM, or ROM when not {@code writable}: guest writes to ROM are dropped and logged. */
public record RamRegion(String name, GuestRam ram, boolean writable) implements Region {
  @Override
  public long size() {
    return ram.size();
  }
}
