package org.ascus.launcher.img;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.format.qcow2.Bitmap;
import org.ascus.devices.block.format.qcow2.Bitmaps;
import org.ascus.devices.block.format.qcow2.Qcow2Node;

/** {@code ascus-img bitmap}: does one thing after the other with a bitmap of a qcow2 image. */
final class BitmapCommand {
  private static final List<String> ACTIONS = List.of("add", "remove", "clear", "enable", "disable", "merge");
  private static final int MIN_DEFAULT = 4 << 10;
  private static final int MAX_DEFAULT = 64 << 10;

  private BitmapCommand() {}

  static int run(List<String> words) throws ImgException, BlockException {
    Words w = new Words("bitmap", words, "b:", "F:", "f:", "g:", "image-opts", "add", "remove", "clear", "enable",
        "disable", "merge=");
    List<String> files = w.files(2, "Expecting filename and bitmap name");
    List<Map.Entry<String, String>> actions = w.inOrder().stream().filter(a -> ACTIONS.contains(a.getKey())).toList();
    if (actions.isEmpty()) {
      throw new ImgException(
          "Need at least one of --add, --remove, --clear, --enable, --disable, or --merge");
    }
    if (w.has("g") && !w.has("add")) {
      throw new ImgException("granularity only supported with --add");
    }
    if (w.has("b") && !w.has("merge")) {
      throw new ImgException("Merge bitmap source file only supported with --merge");
    }
    if (w.has("F") && !w.has("b")) {
      throw new ImgException("-F only supported with -b");
    }
    Images images = new Images(w);
    Optional<BlockNode> other = w.get("b").isEmpty() ? Optional.empty()
        : Optional.of(images.outside(w.get("b").get(), w.get("F")).open());
    try (BlockNode source = other.orElse(null); BlockNode node = images.bitmaps(files.get(0), w.get("f")).open()) {
      for (Map.Entry<String, String> action : actions) {
        try {
          act(action, files.get(1), node, other.orElse(node), w.get("g"));
        } catch (BlockException e) {
          throw new ImgException("Operation " + action.getKey() + " on bitmap " + files.get(1) + " failed: "
              + e.getMessage());
        }
      }
    }
    return 0;
  }

  private static void act(Map.Entry<String, String> action, String name, BlockNode node, BlockNode other,
      Optional<String> granularity) throws ImgException, BlockException {
    Bitmaps bitmaps = bitmaps(node);
    switch (action.getKey()) {
      case "add" -> bitmaps.add(name, granularity.isPresent() ? Sizes.parse("granularity", granularity.get())
          : Math.clamp(((Qcow2Node) node).clusterSize(), MIN_DEFAULT, MAX_DEFAULT), true);
      case "remove" -> bitmaps.remove(name);
      case "clear" -> bitmaps.clear(name);
      case "merge" -> bitmaps.merge(bitmaps(other).get(action.getValue()), name);
      default -> bitmaps.enable(name, action.getKey().equals("enable"));
    }
  }

  private static Bitmaps bitmaps(BlockNode node) throws BlockException {
    if (node instanceof Qcow2Node image) {
      return image.bitmaps();
    }
    throw new BlockException("Can't store persistent bitmaps to '" + node.name() + "': Operation not supported");
  }

  /** Gives {@code target} the bitmaps of {@code source}. */
  static void copy(BlockNode source, BlockNode target, boolean skipBroken) throws ImgException, BlockException {
    if (!(source instanceof Qcow2Node from)) {
      throw new ImgException("Format driver of '" + source.name() + "' does not support bitmaps");
    }
    if (!(target instanceof Qcow2Node to)) {
      throw new ImgException("Format driver of '" + target.name() + "' does not support bitmaps");
    }
    for (Bitmap bitmap : from.bitmaps().list()) {
      if (bitmap.inconsistent()) {
        if (!skipBroken) {
          throw new ImgException("Cannot copy inconsistent bitmap '" + bitmap.name()
              + "'\nTry --skip-broken-bitmaps, or use 'ascus-img bitmap --remove'");
        }
        continue;
      }
      to.bitmaps().add(bitmap.name(), bitmap.granularity(), bitmap.enabled());
      to.bitmaps().merge(bitmap, bitmap.name());
    }
  }
}
