package org.ascus.launcher.img;

import java.io.PrintStream;
import java.nio.ByteBuffer;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.Extent;
import org.ascus.devices.block.ReadOnlyNode;

/** What can be read of a damaged image: sectors that cannot be are zero. */
final class SalvagedImage extends ReadOnlyNode {
  private static final int SECTOR = 512;

  private final BlockNode image;
  private final PrintStream warnings;

  /**
   * @param image closed with this
   * @param warnings gets a line for each sector that is lost
   */
  SalvagedImage(BlockNode image, PrintStream warnings) {
    this.image = image;
    this.warnings = warnings;
  }

  @Override
  public String name() {
    return image.name();
  }

  @Override
  public String format() {
    return image.format();
  }

  @Override
  public long size() {
    return image.size();
  }

  @Override
  public void read(long offset, ByteBuffer target) throws BlockException {
    checkRange(offset, target.remaining());
    int start = target.position();
    int end = target.limit();
    try {
      image.read(offset, target);
      return;
    } catch (BlockException e) {
      target.limit(end).position(start);
    }
    while (target.position() < end) {
      long at = offset + target.position() - start;
      int from = target.position();
      target.limit((int) Math.min(end, from + SECTOR - at % SECTOR));
      try {
        image.read(at, target);
      } catch (BlockException e) {
        warnings.println("ascus-img: warning: error while reading offset " + at + ": " + e.getMessage());
        target.position(from);
        while (target.hasRemaining()) {
          target.put((byte) 0);
        }
      }
      target.limit(end);
    }
  }

  @Override
  public Extent extent(long offset, long length) throws BlockException {
    try {
      return image.extent(offset, length);
    } catch (BlockException e) {
      return Extent.data(Math.min(length, SECTOR - offset % SECTOR), offset);
    }
  }

  @Override
  public void close() throws BlockException {
    image.close();
  }
}
