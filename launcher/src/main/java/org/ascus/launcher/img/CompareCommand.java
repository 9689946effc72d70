package org.ascus.launcher.img;

import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.util.List;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;

/** {@code ascus-img compare}; exits with 0 if the images are equal, 1 if not. */
final class CompareCommand {
  private static final int PIECE = 2 << 20;
  private static final int SECTOR = 512;

  private CompareCommand() {}

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
      long mismatch = compare(one, two, progress);
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

  /** An image and how far it was looked at. */
  private static final class Cursor implements AutoCloseable {
    private final ReadAhead reader;
    private ReadAhead.Piece piece;
    private long used;

    Cursor(BlockNode node) throws BlockException {
      reader = new ReadAhead(node, PIECE, false);
      piece = reader.next();
    }

    /** Bytes that are at hand; zeroes without end behind the image's end. */
    long left() {
      return piece.length() == 0 ? Long.MAX_VALUE : piece.length() - used;
    }

    boolean zero() {
      return piece.bytes().isEmpty();
    }

    /** The bytes at hand, which may be zeroes that nobody read. */
    ByteBuffer bytes(int length, ByteBuffer zeroes) {
      return piece.bytes().map(b -> b.slice((int) used, length)).orElseGet(() -> zeroes.slice(0, length));
    }

    void skip(long length) throws BlockException {
      used += length;
      if (piece.length() > 0 && used == piece.length()) {
        piece = reader.next();
        used = 0;
      }
    }

    @Override
    public void close() {
      reader.close();
    }
  }

  /** Offset of the first sector that differs, or -1. */
  private static long compare(BlockNode one, BlockNode two, Progress progress) throws BlockException {
    long size = Math.max(one.size(), two.size());
    ByteBuffer zeroes = ByteBuffer.allocateDirect(PIECE);
    try (Cursor first = new Cursor(one); Cursor second = new Cursor(two)) {
      for (long at = 0; at < size; ) {
        progress.at(at, size);
        long length = Math.min(size - at, Math.min(first.left(), second.left()));
        if (!first.zero() || !second.zero()) {
          int differs = first.bytes((int) length, zeroes).mismatch(second.bytes((int) length, zeroes));
          if (differs >= 0) {
            return at + differs / SECTOR * SECTOR;
          }
        }
        first.skip(length);
        second.skip(length);
        at += length;
      }
    }
    return -1;
  }
}
