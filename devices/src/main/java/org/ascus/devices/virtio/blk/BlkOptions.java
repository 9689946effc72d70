package org.ascus.devices.virtio.blk;

import java.nio.charset.StandardCharsets;
import org.ascus.devices.block.ErrorPolicy;
import org.ascus.devices.virtio.queue.Virtqueue;
import org.ascus.machine.device.DeviceException;

/**
 * What a user can choose about a virtio block device.
 *
 * @param serial what the get-id request returns, at most 20 bytes
 * @param logicalBlockSize bytes; requests must be multiples of it
 * @param physicalBlockSize bytes
 * @param queues number of request queues
 * @param queueSize most entries of each
 * @param configWce whether the driver may switch the write cache
 * @param discard whether discard requests are offered
 * @param writeZeroes whether write-zeroes requests are offered
 * @param errors what becomes of requests that fail on the host
 * @param hints sizes that suit the disk
 */
public record BlkOptions(
    String serial,
    int logicalBlockSize,
    int physicalBlockSize,
    int queues,
    int queueSize,
    boolean configWce,
    boolean discard,
    boolean writeZeroes,
    ErrorPolicy errors,
    Hints hints) {
  /**
   * Sizes in bytes that suit the disk; 0 where there is nothing to say.
   *
   * @param least that a request should have
   * @param best of a request
   * @param discard unit in which space is given back
   */
  public record Hints(long least, long best, long discard) {
    public static final Hints NONE = new Hints(0, 0, 0);
  }

  public static final BlkOptions DEFAULT =
      new BlkOptions("", 512, 512, 1, 256, true, true, true, ErrorPolicy.DEFAULT, Hints.NONE);

  /** Most queues; the transport keeps some room of its own. */
  static final int MAX_QUEUES = 64;

  static final int ID_BYTES = 20;

  /** Returns this, or throws naming the property that makes no sense. */
  public BlkOptions check() throws DeviceException {
    checkBlockSize("logical_block_size", logicalBlockSize);
    checkBlockSize("physical_block_size", physicalBlockSize);
    if (logicalBlockSize > physicalBlockSize) {
      throw new DeviceException("logical_block_size > physical_block_size not supported");
    }
    checkHint("min_io_size", hints.least());
    checkHint("opt_io_size", hints.best());
    checkHint("discard_granularity", hints.discard());
    if (queues < 1 || queues > MAX_QUEUES) {
      throw new DeviceException("invalid number of queues: num-queues=" + queues + ", must be 1 to " + MAX_QUEUES);
    }
    if (queueSize <= 2 || queueSize > Virtqueue.MAX_SIZE || Integer.bitCount(queueSize) != 1) {
      throw new DeviceException(
          "invalid queue-size property (" + queueSize + "), must be a power of 2 (max " + Virtqueue.MAX_SIZE + ")");
    }
    if (serial.getBytes(StandardCharsets.UTF_8).length > ID_BYTES) {
      throw new DeviceException("serial '" + serial + "' is longer than " + ID_BYTES + " bytes");
    }
    return this;
  }

  private void checkHint(String property, long value) throws DeviceException {
    if (value % logicalBlockSize != 0) {
      throw new DeviceException(property + " must be a multiple of logical_block_size");
    }
    if (value / logicalBlockSize > 0xffff) {
      throw new DeviceException(property + " of " + value + " is more than 65535 logical blocks");
    }
  }

  private static void checkBlockSize(String property, int value) throws DeviceException {
    if (value < 512 || value > 2 << 20 || Integer.bitCount(value) != 1) {
      throw new DeviceException(
          "Property '" + property + "' takes a power of 2 between 512 and 2097152, not " + value);
    }
  }
}
