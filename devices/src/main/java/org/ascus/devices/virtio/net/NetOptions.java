package org.ascus.devices.virtio.net;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.ascus.devices.net.MacAddress;
import org.ascus.machine.device.DeviceException;

/**
 * Properties of a virtio network device.
 *
 * @param mac its address
 * @param pairs of receive and transmit queues
 * @param rxQueueSize entries of each receive queue, a power of two from 256
 * @param txQueueSize entries of each transmit queue
 * @param mtu that the driver is told, in bytes; 0 to tell none
 * @param link speed and duplex as the driver is told
 * @param features that may be offered
 */
public record NetOptions(
    MacAddress mac,
    int pairs,
    int rxQueueSize,
    int txQueueSize,
    int mtu,
    Link link,
    Set<NetFeature> features) {
  public NetOptions {
    features = features.isEmpty() ? Set.of() : EnumSet.copyOf(features);
  }

  /**
   * What a cable can do.
   *
   * @param speed in Mbit/s; -1 if nobody knows
   * @param duplex half or full; empty if nobody knows
   */
  public record Link(long speed, String duplex) {
    /** Nothing is said. */
    public static final Link UNKNOWN = new Link(-1, "");

    boolean isKnown() {
      return speed >= 0 || !duplex.isEmpty();
    }

    /** The number of {@code duplex} in configuration space. */
    int duplexCode() {
      return switch (duplex) {
        case "half" -> 0;
        case "full" -> 1;
        default -> 0xff;
      };
    }
  }

  /** Most pairs of queues. */
  public static final int MAX_PAIRS = 8;

  private static final int MIN_QUEUE = 256;
  private static final int MAX_QUEUE = 1024;
  private static final int MIN_MTU = 68;

  /** What a device has unless told otherwise. */
  public static NetOptions of(MacAddress mac) {
    return new NetOptions(mac, 1, MIN_QUEUE, MIN_QUEUE, 0, Link.UNKNOWN, NetFeature.all());
  }

  /**
   * Returns these options if they are possible.
   *
   * @throws DeviceException naming the property that is not
   */
  NetOptions check() throws DeviceException {
    if (pairs < 1 || pairs > MAX_PAIRS) {
      throw new DeviceException("Invalid number of queues (= " + pairs + "), must be 1 to " + MAX_PAIRS);
    }
    checkQueue("rx_queue_size", rxQueueSize);
    checkQueue("tx_queue_size", txQueueSize);
    if (mtu != 0 && (mtu < MIN_MTU || mtu > 65535)) {
      throw new DeviceException("Property 'host_mtu' must be between " + MIN_MTU + " and 65535, not " + mtu);
    }
    if (!List.of("", "half", "full").contains(link.duplex())) {
      throw new DeviceException("'duplex' must be 'half' or 'full'");
    }
    if (link.speed() < -1 || link.speed() > Integer.MAX_VALUE) {
      throw new DeviceException("'speed' must be between 0 and INT_MAX");
    }
    if (mac.isGroup()) {
      throw new DeviceException("Property 'mac' doesn't take value '" + mac + "': a group's address");
    }
    return this;
  }

  private static void checkQueue(String property, int size) throws DeviceException {
    if (size < MIN_QUEUE || size > MAX_QUEUE || Integer.bitCount(size) != 1) {
      throw new DeviceException(
          "Invalid " + property + " (= " + size + "), must be a power of 2 between " + MIN_QUEUE + " and "
              + MAX_QUEUE + ".");
    }
  }

  boolean has(NetFeature feature) {
    return features.contains(feature);
  }

  private boolean control() {
    return has(NetFeature.CTRL_VQ);
  }

  /** Sizes of the queues in order: receive and transmit by pairs, then control. */
  int[] queueSizes() {
    int[] sizes = new int[2 * pairs + (control() ? 1 : 0)];
    for (int i = 0; i < pairs; i++) {
      sizes[2 * i] = rxQueueSize;
      sizes[2 * i + 1] = txQueueSize;
    }
    if (control()) {
      sizes[2 * pairs] = 64;
    }
    return sizes;
  }
}
