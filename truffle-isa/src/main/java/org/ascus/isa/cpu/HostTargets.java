package org.ascus.isa.cpu;

import org.ascus.machine.bus.host.HostMemory;

/**
 * A table in host memory of where machine code goes on at a virtual address, direct-mapped; host code looks there by
 * itself. An entry is of four longs: the address, {@link VCpu#matchedMapping} when it was made, and where the code is.
 */
public final class HostTargets {
  public static final int ENTRIES = 1 << 15;

  /** Bytes of an entry, as a power of two. */
  public static final int ENTRY_SHIFT = 5;

  /** Offset in an entry, in bytes. */
  public static final int MAPPING = 8;

  /** Offset in an entry, in bytes. */
  public static final int CODE = 16;

  /** Bytes of a table. */
  public static final int SIZE = ENTRIES << ENTRY_SHIFT;

  /** The index of an address is the exclusive or of these bits of it and those from bit 1. */
  public static final int SECOND_SHIFT = 14;

  /** Odd, as no address of an instruction is. */
  private static final long NOWHERE = -1;

  private HostTargets() {}

  /** Empties the table at host address {@code table}, if there is one. */
  public static void clear(long table) {
    if (table != 0) {
      for (int i = 0; i < ENTRIES; i++) {
        HostMemory.putLong(table + ((long) i << ENTRY_SHIFT), NOWHERE);
      }
    }
  }

  /** From now on host code goes to {@code code} at {@code va}. */
  public static void put(long table, long va, long mapping, long code) {
    long entry = table + ((va >>> 1 ^ va >>> SECOND_SHIFT) & ENTRIES - 1) * (1L << ENTRY_SHIFT);
    HostMemory.putLong(entry, va);
    HostMemory.putLong(entry + MAPPING, mapping);
    HostMemory.putLong(entry + CODE, code);
  }
}
