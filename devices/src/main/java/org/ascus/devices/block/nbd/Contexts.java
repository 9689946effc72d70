package org.ascus.devices.block.nbd;

import java.util.ArrayList;
import java.util.List;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.Extent;

/**
 * The metadata contexts that a client chose for an export.
 *
 * @param ids 0 is {@code base:allocation}, 1 {@code qemu:allocation-depth}, from 2 on {@code qemu:dirty-bitmap:NAME}
 */
record Contexts(NbdExport export, List<Integer> ids) {
  static final Contexts NONE = new Contexts(null, List.of());

  private static final int ALLOCATION_ID = 0;
  private static final int DEPTH_ID = 1;
  private static final int FIRST_BITMAP_ID = 2;
  private static final String DEPTH = "qemu:allocation-depth";
  private static final String BITMAP = "qemu:dirty-bitmap:";
  private static final List<String> NAMESPACES = List.of("base:", "qemu:", BITMAP);

  String name(int id) {
    return switch (id) {
      case ALLOCATION_ID -> Wire.BASE_ALLOCATION;
      case DEPTH_ID -> DEPTH;
      default -> BITMAP + export.bitmaps().get(id - FIRST_BITMAP_ID).name();
    };
  }

  /** These and what {@code query} names; with {@code wild}, a namespace alone names all of it. */
  Contexts plus(String query, boolean wild) {
    List<Integer> all = new ArrayList<>(ids);
    for (int id = 0; id < FIRST_BITMAP_ID + export.bitmaps().size(); id++) {
      boolean offered = id != DEPTH_ID || export.allocationDepth();
      boolean meant = query.equals(name(id)) || wild && NAMESPACES.contains(query) && name(id).startsWith(query);
      if (offered && meant && !all.contains(id)) {
        all.add(id);
      }
    }
    return new Contexts(export, all);
  }

  /** Length and state of what begins at {@code offset}, by a context. */
  long[] status(int id, long offset, long most) throws BlockException {
    if (id >= FIRST_BITMAP_ID) {
      DirtyRanges dirty = export.bitmaps().get(id - FIRST_BITMAP_ID);
      return new long[] {dirty.run(offset, most), dirty.has(offset) ? 1 : 0};
    }
    Extent extent = export.node().extent(offset, most);
    long length = Math.min(extent.length(), most);
    if (id == DEPTH_ID) {
      return new long[] {length, extent.present() ? extent.depth() + 1 : 0};
    }
    return new long[] {length, (extent.data() ? 0 : Wire.STATE_HOLE) | (extent.zero() ? Wire.STATE_ZERO : 0)};
  }
}
