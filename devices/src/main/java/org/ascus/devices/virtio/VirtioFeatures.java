package org.ascus.devices.virtio;

/** Feature bits that every virtio device shares (VIRTIO 1.2, section 6), as masks. Device bits are 0 to 23. */
public final class VirtioFeatures {
  /** Legacy: the device notifies when it runs out of buffers. */
  public static final long NOTIFY_ON_EMPTY = 1L << 24;

  /** Legacy: the device does not mind how a request is cut into descriptors. */
  public static final long ANY_LAYOUT = 1L << 27;

  public static final long INDIRECT_DESC = 1L << 28;

  public static final long EVENT_IDX = 1L << 29;

  public static final long VERSION_1 = 1L << 32;

  public static final long RING_PACKED = 1L << 34;

  /** Bits that mean something to a legacy driver only. */
  public static final long LEGACY_ONLY = NOTIFY_ON_EMPTY | ANY_LAYOUT | 1L << 30;

  private VirtioFeatures() {}
}
