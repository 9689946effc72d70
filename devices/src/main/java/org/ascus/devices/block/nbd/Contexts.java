package org.ascus.devices.block.nbd;

import java.util.ArrayList;
import java.util.List;

/**
 * The metadata contexts that a client chose for an export.
 *
 * @param allocation {@code base:allocation}
 * @param depth {@code qemu:allocation-depth}
 */
record Contexts(NbdExport export, boolean allocation, boolean depth) {
  static final Contexts NONE = new Contexts(null, false, false);
  static final int ALLOCATION_ID = 0;
  static final int DEPTH_ID = 1;

  private static final String DEPTH = "qemu:allocation-depth";

  static String name(int id) {
    return id == ALLOCATION_ID ? Wire.BASE_ALLOCATION : DEPTH;
  }

  /** These and what {@code query} names; with {@code wild}, a namespace alone names all of it. */
  Contexts plus(String query, boolean wild) {
    boolean base = query.equals(Wire.BASE_ALLOCATION) || wild && query.equals("base:");
    boolean qemu = query.equals(DEPTH) || wild && query.equals("qemu:");
    return new Contexts(export, allocation || base, depth || qemu && export.allocationDepth());
  }

  List<Integer> ids() {
    List<Integer> ids = new ArrayList<>();
    if (allocation) {
      ids.add(ALLOCATION_ID);
    }
    if (depth) {
      ids.add(DEPTH_ID);
    }
    return ids;
  }
}
