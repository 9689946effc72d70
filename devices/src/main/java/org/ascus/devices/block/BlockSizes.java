package org.ascus.devices.block;

import java.util.List;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.device.Property;
import org.ascus.machine.device.Property.Kind;
import org.ascus.machine.device.PropertyValues;

/**
 * Sizes in bytes by which a guest should use a disk.
 *
 * @param logical of the blocks that requests are multiples of
 * @param physical of the blocks that the disk works with
 * @param least that a request should have; 0 where there is nothing to say
 * @param best of a request; 0 where there is nothing to say
 * @param discard unit in which space is given back; the device knows what 0 means
 */
public record BlockSizes(int logical, int physical, long least, long best, long discard) {
  private static final int LEAST_BLOCK = 512;
  private static final int MOST_BLOCK = 2 << 20;

  /** Blocks of one size and no other wishes. */
  public static BlockSizes of(int logical, long discard) {
    return new BlockSizes(logical, logical, 0, 0, discard);
  }

  /**
   * The properties that say these.
   *
   * @param discard what {@code discard_granularity} is otherwise
   * @param without what it means if it is 0
   */
  public static List<Property> properties(long discard, String without) {
    return List.of(
        new Property("logical_block_size", Kind.SIZE, "512", "A power of two between 512 B and 2 MiB"),
        new Property("physical_block_size", Kind.SIZE, "512", "A power of two between 512 B and 2 MiB"),
        new Property("min_io_size", Kind.SIZE, "0", "Best least size of requests; 0 for not known"),
        new Property("opt_io_size", Kind.SIZE, "0", "Best size of requests; 0 for not known"),
        new Property("discard_granularity", Kind.SIZE, Long.toString(discard), "Unit of discards; 0 for " + without));
  }

  /** What the {@link #properties} say. */
  public static BlockSizes of(PropertyValues values) {
    int logical = (int) Math.min(values.getSize("logical_block_size"), Integer.MAX_VALUE);
    int physical = (int) Math.min(values.getSize("physical_block_size"), Integer.MAX_VALUE);
    return new BlockSizes(logical, values.isSet("physical_block_size") ? physical : Math.max(logical, physical),
        values.getSize("min_io_size"), values.getSize("opt_io_size"), values.getSize("discard_granularity"));
  }

  /** Returns this, or throws naming the property that makes no sense. */
  public BlockSizes check() throws DeviceException {
    checkBlock("logical_block_size", logical);
    checkBlock("physical_block_size", physical);
    if (logical > physical) {
      throw new DeviceException("logical_block_size > physical_block_size not supported");
    }
    checkWish("min_io_size", least, 0xffff);
    checkWish("opt_io_size", best, 0xffff_ffffL);
    checkWish("discard_granularity", discard, 0xffff_ffffL);
    return this;
  }

  private static void checkBlock(String property, int value) throws DeviceException {
    if (value < LEAST_BLOCK || value > MOST_BLOCK || Integer.bitCount(value) != 1) {
      throw new DeviceException(
          "Property '" + property + "' takes a power of 2 between 512 and 2097152, not " + value);
    }
  }

  private void checkWish(String property, long value, long most) throws DeviceException {
    if (value % logical != 0) {
      throw new DeviceException(property + " must be a multiple of logical_block_size");
    }
    if (value / logical > most) {
      throw new DeviceException(property + " must not exceed " + most + " logical blocks");
    }
  }

  /** Blocks that {@code bytes} are. */
  public long blocks(long bytes) {
    return bytes / logical;
  }

  /** How often the size of a logical block must be doubled to be that of a physical one. */
  public int physicalExponent() {
    return Integer.numberOfTrailingZeros(physical / logical);
  }
}
