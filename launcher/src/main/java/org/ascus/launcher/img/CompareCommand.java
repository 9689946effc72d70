package org.ascus.launcher.img;

import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.OptionalLong;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.Extent;

/** {@code ascus-img compare}; exits with 0 if the images are equal, 1 if not. */
final class CompareCommand {
  private static final int PIECE = 2 << 20;
  private static final int SECTOR = 512;

  private final BlockNode one;
  private final BlockNode two;
  private final ByteBuffer a = ByteBuffer.allocateDirect(PIECE);
  private final ByteBuffer b = ByteBuffer.allocateDirect(PIECE);

  private CompareCommand(BlockNode one, BlockNode two) {
    this.one = one;
    this.two = two;
  }

  static int run(List<String> words, PrintStream out) throws ImgException, BlockException {
    Words w = new Words("compare", words, "f:", "F:", "T:", "p", "q", "s", "U", "image-opts", "force-share");
    List<String> files = w.files(2, "Expecting two image file names");
    Images images = new Images(w);
    Progress progress = new Progress(out, w.has("p") && !w.has("q"));
    try (BlockNode one = images.source(files.get(0), w.get("f")).open();
        BlockNode two = images.source(files.get(1), w.get("F")).open()) {
      if (w.has("s") && one.size() != two.size()) {
        say(w, out, "Strict mode: Image size mismatch!");
        return 1;
      }
      long mismatch = new CompareCommand(one, two).compare(progress);
      progress.end();
      if (one.size() != two.size() && mismatch < 0 && !w.has("q")) {
        out.println("Warning: Image size mismatch!");
      }
      say(w, out, mismatch < 0 ? "Images are identical." : "Content mismatch at offset " + mismatch + "!");
      return mismatch < 0 ? 0 : 1;
    }
  }

  private static void say(Words w, PrintStream out, String text) {
    if (!w.has("q")) {
      out.println(text);
    }
  }

  /** Offset of the first sector that differs, or -1. */
  private long compare(Progress progress) throws BlockException {
    long size = Math.max(one.size(), two.size());
    long at = 0;
    while (at < size) {
      progress.at(at, size);
      Extent first = extent(one, at, size - at);
      Extent second = extent(two, at, size - at);
      long length = Math.min(first.length(), second.length());
      if (!first.zero() || !second.zero()) {
        length = Math.min(length, PIECE);
        int differs = fill(one, at, a, (int) length).mismatch(fill(two, at, b, (int) length));
        if (differs >= 0) {
          return at + differs / SECTOR * SECTOR;
        }
      }
      at += length;
    }
    return -1;
  }

  private static Extent extent(BlockNode node, long at, long length) throws BlockException {
    return at >= node.size() ? Extent.zero(length, OptionalLong.empty())
        : node.extent(at, Math.min(length, node.size() - at));
  }

  private static ByteBuffer fill(BlockNode node, long at, ByteBuffer buffer, int length) throws BlockException {
    buffer.clear().limit(length);
    if (at >= node.size()) {
      return ByteBuffer.allocate(length);
    }
    node.read(at, buffer);
    return buffer.flip();
  }
}
