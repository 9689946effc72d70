package org.ascus.machine.bus;

/** A piece of an address space, without an address of its own. Sizes and offsets are in bytes. */
public sealed interface Region permits RamRegion, MmioRegion, RomDeviceRegion, AliasRegion, ContainerRegion {
  /** For {@code info mtree}. */
  String name();

  long size();
}
