package org.ascus.polyglot;

import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.ErrorPolicy;
import org.ascus.devices.block.filter.WriteThrough;
import org.ascus.devices.block.format.ImageOptions;

/**
 * A disk image that devices can use, {@code -drive} or {@code -blockdev}.
 *
 * @param option what the user wrote, such as {@code -drive file=a.img}; starts error messages
 * @param id the name by which {@code -device X,drive=id} finds it
 * @param virtio plugged in as a virtio block device without being asked for ({@code if=virtio})
 * @param image the image
 * @param writeThrough whether the guest sees a disk without a write cache, and each write is durable
 * @param errors what becomes of requests that fail on the host, unless the device says otherwise
 */
public record DriveOptions(
    String option, String id, boolean virtio, ImageOptions image, boolean writeThrough, ErrorPolicy errors) {
  /** A drive with a write cache. */
  public DriveOptions(String option, String id, boolean virtio, ImageOptions image) {
    this(option, id, virtio, image, false, ErrorPolicy.DEFAULT);
  }

  /** The same with what is written thrown away. */
  public DriveOptions withSnapshot() {
    return new DriveOptions(option, id, virtio, image.withSnapshot(), writeThrough, errors);
  }

  /** The same, for a file that others may write, too. */
  DriveOptions withoutLocking() {
    return new DriveOptions(option, id, virtio, image.withoutLocking(), writeThrough, errors);
  }

  BlockNode open() throws BlockException {
    BlockNode node = image.open();
    return writeThrough ? new WriteThrough(node) : node;
  }
}
