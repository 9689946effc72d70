package org.ascus.launcher.img;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.filter.FilterNode;
import org.ascus.devices.block.format.SnapshotOverlay;
import org.ascus.devices.block.format.foreign.ForeignImage;
import org.ascus.devices.block.format.qcow2.Qcow2Node;
import org.ascus.devices.block.protocol.Protocols;

/** What can be told of an image that somebody has open. */
public final class ImageReport {
  private ImageReport() {}

  /** The image that a node is over, and those behind it, the upper one first. */
  public static List<BlockNode> chain(BlockNode top) {
    List<BlockNode> all = new ArrayList<>();
    for (Optional<BlockNode> node = Optional.of(image(top)); node.isPresent(); node = backing(node.get())) {
      all.add(node.get());
    }
    return all;
  }

  private static BlockNode image(BlockNode top) {
    return switch (top) {
      case FilterNode filter -> image(filter.below());
      case SnapshotOverlay overlay -> image(overlay.base());
      default -> top;
    };
  }

  private static Optional<BlockNode> backing(BlockNode node) {
    return switch (node) {
      case Qcow2Node q -> q.backing().map(ImageReport::image);
      case ForeignImage f -> f.backing().map(ImageReport::image);
      default -> Optional.empty();
    };
  }

  /** What {@code info} says of an image. */
  public static String of(BlockNode image) throws BlockException {
    return InfoCommand.text(image.name(), Protocols.named(image.name()), ImageFacts.of(image, image.format()), image);
  }
}
