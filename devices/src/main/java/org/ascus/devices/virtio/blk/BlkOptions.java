package org.ascus.devices.virtio.blk;

import java.nio.charset.StandardCharsets;
import org.ascus.devices.block.BlockSizes;
import org.ascus.devices.block.ErrorPolicy;
import org.ascus.devices.virtio.queue.Virtqueue;
import org.ascus.machine.device.DeviceException;

/**
 * What a user can choose about a virtio block device.
 *
 * @param serial what the get-id request returns, at most 20 bytes
 * @param sizes sizes of blocks and of requests; requests must be multiples of the logical block
 * @param queues number of request queues
 * @param queueSize most entries of each
 * @param configWce whether the driver may switch the write cache
 * @param discard whether discard requests are offered
 * @param writeZeroes whether write-zeroes requests are offered
 * @param errors what becomes of requests that fail on the host
 */
public record BlkOptions(
    String serial,
    BlockSizes sizes,
    int queues,
    int queueSize,
    boolean configWce,
    boolean discard,
    boolean writeZeroes,
    ErrorPolicy errors) {
  public static final BlkOptions DEFAULT =
      new BlkOptions("", BlockSizes.of(512, 0), 1, 256, true, true, true, ErrorPolicy.DEFAULT);

  /** Most queues; the transport keeps some room of its own. */
  static final int MAX_QUEUES = 64;

  static final int ID_BYTES = 20;

  /** Returns this, or throws naming the property that makes no sense. */
  public BlkOptions check() throws DeviceException {
    sizes.check();
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
}
