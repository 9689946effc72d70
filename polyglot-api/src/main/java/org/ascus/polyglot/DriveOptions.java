package org.ascus.polyglot;

import java.util.Optional;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.Drive;
import org.ascus.devices.block.ErrorPolicy;
import org.ascus.devices.block.format.ImageOptions;

/**
 * A disk image that devices can use, {@code -drive} or {@code -blockdev}.
 *
 * @param option what the user wrote, such as {@code -drive file=a.img}; starts error messages
 * @param id the name by which {@code -device X,drive=id} finds it
 * @param virtio plugged in as a virtio block device without being asked for ({@code if=virtio})
 * @param medium the image; empty for a drive that waits for one
 * @param writeThrough whether the guest sees a disk without a write cache, and each write is durable
 * @param errors what becomes of requests that fail on the host, unless the device says otherwise
 */
public record DriveOptions(
    String option,
    String id,
    boolean virtio,
    Optional<ImageOptions> medium,
    boolean writeThrough,
    ErrorPolicy errors) {
  /** A drive with an image in it. */
  public DriveOptions(
      String option, String id, boolean virtio, ImageOptions image, boolean writeThrough, ErrorPolicy errors) {
    this(option, id, virtio, Optional.of(image), writeThrough, errors);
  }

  /** A drive with an image in it and with a write cache. */
  public DriveOptions(String option, String id, boolean virtio, ImageOptions image) {
    this(option, id, virtio, image, false, ErrorPolicy.DEFAULT);
  }

  /** A drive with nothing in it. */
  public static DriveOptions empty(String option, String id, boolean writeThrough, ErrorPolicy errors) {
    return new DriveOptions(option, id, false, Optional.empty(), writeThrough, errors);
  }

  /** The image, which must be there. */
  public ImageOptions image() {
    return medium.orElseThrow();
  }

  /** The same for a device that asks for it. */
  public DriveOptions withoutPlace() {
    return new DriveOptions(option, id, false, medium, writeThrough, errors);
  }

  private DriveOptions with(Optional<ImageOptions> other) {
    return new DriveOptions(option, id, virtio, other, writeThrough, errors);
  }

  /** The same with what is written thrown away. */
  public DriveOptions withSnapshot() {
    return with(medium.map(ImageOptions::withSnapshot));
  }

  /** The same, for a file that others may write, too. */
  DriveOptions withoutLocking() {
    return with(medium.map(ImageOptions::withoutLocking));
  }

  Drive open() throws BlockException {
    Optional<BlockNode> node = medium.isPresent() ? Optional.of(image().open()) : Optional.empty();
    Drive drive = new Drive(id, node, errors);
    drive.setWriteThrough(writeThrough);
    return drive;
  }
}
