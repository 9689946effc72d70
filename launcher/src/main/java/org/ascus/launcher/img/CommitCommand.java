package org.ascus.launcher.img;

import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.Extent;
import org.ascus.devices.block.filter.ThrottleGroup;
import org.ascus.devices.block.format.ImageOptions;
import org.ascus.devices.block.format.qcow2.Qcow2Node;

/** {@code ascus-img commit}: what the images above one have goes into that one. */
final class CommitCommand {
  private static final int PIECE = 2 << 20;

  private CommitCommand() {}

  static int run(List<String> words, PrintStream out) throws ImgException, BlockException {
    Words w = new Words("commit", words, "f:", "t:", "b:", "d", "p", "q", "r:", "image-opts");
    ImageOptions options = new Images(w).target(w.files(1, "Expecting one image file name").getFirst(), w.get("f"));
    Optional<ThrottleGroup> rate = ConvertCommand.rate(w);
    Progress progress = new Progress(out, w.has("p") && !w.has("q"));
    try (BlockNode node = options.open()) {
      Qcow2Node image = EditCommands.qcow2(node, "it has no backing file");
      List<BlockNode> chain = ImageReport.chain(image);
      Optional<String> wanted = w.get("b");
      int depth = wanted.isPresent() ? find(chain, wanted.get()) : 1;
      if (chain.size() == 1) {
        throw new ImgException("Image does not have a backing file");
      }
      BlockNode base = chain.get(depth);
      // The image itself holds a reader's lock on it.
      try (BlockNode target = ImageOptions.named(base.name(), base.format(), false, false, false).open()) {
        if (target.size() < image.size()) {
          target.resize(image.size());
        }
        copy(image, depth, target, rate, progress);
        target.flush();
      }
      // Where others are in between they are of no use any more, and the image has what they lack.
      if (!w.has("d") && wanted.isEmpty()) {
        image.makeEmpty();
      }
      progress.end();
      EditCommands.say(w, out, "Image committed.");
    }
    return 0;
  }

  /** How deep below the first image of a chain one is that a user names. */
  private static int find(List<BlockNode> chain, String wanted) throws ImgException, BlockException {
    for (int i = 1; i < chain.size(); i++) {
      String name = chain.get(i).name();
      if (name.equals(wanted) || isSame(Path.of(name), Path.of(wanted))
          || isSame(Path.of(name), Path.of(ImageOptions.neighbour(chain.get(i - 1).name(), wanted)))) {
        return i;
      }
    }
    throw new ImgException("Did not find '" + wanted + "' in the backing chain of '" + chain.getFirst().name() + "'");
  }

  private static boolean isSame(Path one, Path other) {
    return one.toAbsolutePath().normalize().equals(other.toAbsolutePath().normalize());
  }

  private static void copy(
      BlockNode image, int depth, BlockNode target, Optional<ThrottleGroup> rate, Progress progress)
      throws BlockException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(PIECE);
    Extents extents = new Extents(image);
    for (long at = 0; at < image.size(); ) {
      progress.at(at, image.size());
      Extent extent = extents.at(at);
      long length = extent.length();
      // Behind the end of a shorter image in between there is nothing, whatever the target has there.
      boolean above = extent.depth() < (extent.present() ? depth : depth - 1);
      if (above && extent.zero()) {
        target.writeZeroes(at, length, true);
      } else if (above) {
        length = Math.min(length, PIECE);
        buffer.clear().limit((int) length);
        image.read(at, buffer);
        target.write(at, buffer.flip());
        long written = length;
        rate.ifPresent(group -> group.admit(true, written));
      }
      at += length;
    }
  }
}
