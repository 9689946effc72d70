package org.ascus.devices.block.format.foreign;

import java.nio.ByteBuffer;
import java.util.Map;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.ReadOnlyNode;

/** A file as it would be if some of its sectors were written; reads only. The file may be shorter than the sectors. */
final class PatchedNode extends ReadOnlyNode {
  private static final int SECTOR = VhdxLog.SECTOR;

  private final BlockNode file;
  private final Map<Long, byte[]> sectors;
  private final long size;

  /** @param sectors by their place in the file, not changed any more */
  PatchedNode(BlockNode file, Map<Long, byte[]> sectors) {
    this.file = file;
    this.sectors = sectors;
    long end = sectors.keySet().stream().mapToLong(at -> at + SECTOR).max().orElse(0);
    this.size = Math.max(file.size(), end);
  }

  @Override
  public String name() {
    return file.name();
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public void read(long offset, ByteBuffer target) throws BlockException {
    checkRange(offset, target.remaining());
    int end = target.limit();
    long at = offset;
    while (target.position() < end) {
      int inside = (int) (at % SECTOR);
      int count = Math.min(SECTOR - inside, end - target.position());
      byte[] patch = sectors.get(at - inside);
      if (patch != null) {
        target.put(patch, inside, count);
      } else {
        int there = (int) Math.clamp(file.size() - at, 0L, (long) count);
        target.limit(target.position() + there);
        file.read(at, target);
        target.limit(end);
        target.put(new byte[count - there]);
      }
      at += count;
    }
  }

  @Override
  public void close() throws BlockException {
    file.close();
  }
}
