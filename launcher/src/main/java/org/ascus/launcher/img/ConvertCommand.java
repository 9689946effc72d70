package org.ascus.launcher.img;

import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.Extent;
import org.ascus.devices.block.crypto.LuksNode;
import org.ascus.devices.block.format.ImageOptions;
import org.ascus.devices.block.format.qcow2.Qcow2Node;

/** {@code ascus-img convert} and {@code dd}: copies an image's bytes into a new image. */
final class ConvertCommand {
  private static final int PIECE = 2 << 20;
  private static final int SECTOR = 512;
  private static final int DEFAULT_SPARSE = 4096;

  private final BlockNode source;
  private final BlockNode target;
  private final int sparse;

  /** @param sparse bytes of zeroes that are not written; 0 to write all */
  private ConvertCommand(BlockNode source, BlockNode target, int sparse) {
    this.source = source;
    this.target = target;
    this.sparse = sparse;
  }

  static int run(List<String> words, PrintStream out) throws ImgException, BlockException {
    Words w = new Words("convert", words, "f:", "O:", "o:", "B:", "F:", "S:", "l:", "t:", "T:", "m:", "c", "n", "p",
        "q", "W", "U", "target-is-zero", "image-opts", "bitmaps",
        "skip-broken-bitmaps", "target-image-opts", "force-share");
    if (OptionHelp.wanted(w.all("o"))) {
      Optional<String> file = w.files().isEmpty() ? Optional.empty() : Optional.of(w.files().getLast());
      out.print(OptionHelp.ofCreation(w.get("O").orElse("raw"), file));
      return 0;
    }
    List<String> files = w.files(2, "Must specify one image file and an output file name");
    int sparse = w.get("S").isPresent() ? (int) Sizes.parse("sparse size", w.get("S").get()) : DEFAULT_SPARSE;
    if (sparse % SECTOR != 0) {
      throw new ImgException("Invalid buffer size for sparse output specified. Valid sizes are multiples of 512.");
    }
    if (w.get("B").isPresent() && w.get("F").isEmpty()) {
      throw new ImgException("backing format is required with -B");
    }
    Progress progress = new Progress(out, w.has("p") && !w.has("q"));
    Images images = new Images(w);
    try (BlockNode source = Images.asOf(images.source(files.get(0), w.get("f")), w.get("l"));
        BlockNode target = target(w, images, files.get(1), source.size())) {
      if (target.size() < source.size()) {
        throw new ImgException("output file is smaller than input file");
      }
      boolean zeroed = !w.has("n") && !(target instanceof LuksNode) || w.has("target-is-zero");
      ConvertCommand copy = new ConvertCommand(source, target, w.get("B").isPresent() ? 0 : sparse);
      if (w.has("c")) {
        copy.compressed(progress);
      } else {
        copy.plain(progress, zeroed && w.get("B").isEmpty());
      }
      if (w.has("bitmaps")) {
        BitmapCommand.copy(source, target, w.has("skip-broken-bitmaps"));
      }
      target.flush();
      progress.end();
    }
    return 0;
  }

  private static BlockNode target(Words w, Images images, String name, long size) throws ImgException, BlockException {
    String format = w.get("O").orElse("raw");
    if (w.has("target-image-opts") && !w.has("n")) {
      throw new ImgException("--target-image-opts requires use of -n flag");
    }
    if (w.has("n")) {
      return (w.has("target-image-opts") ? images.described(name)
          : ImageOptions.named(name, format, false, false, true)).open();
    }
    if (w.has("c") && !format.equals("qcow2")) {
      throw new ImgException("Compression not supported for this file format");
    }
    NewImage image = new NewImage(name, format, w.all("o"), images).written(w.get("t").orElse("unsafe"));
    if (w.get("B").isPresent()) {
      image.set("backing_file", w.get("B").get());
      image.set("backing_fmt", w.get("F").orElse(""));
    }
    return image.make(size);
  }

  /** @param zeroed whether the target reads as zero, so that zeroes need not be written */
  private void plain(Progress progress, boolean zeroed) throws BlockException {
    long size = source.size();
    try (ReadAhead reader = new ReadAhead(source, PIECE)) {
      for (ReadAhead.Piece piece = reader.next(); piece.length() > 0; piece = reader.next()) {
        progress.at(piece.at(), size);
        if (piece.bytes().isPresent()) {
          ByteBuffer bytes = piece.bytes().get();
          if (zeroed && sparse > 0) {
            writeData(piece.at(), bytes);
          } else {
            target.write(piece.at(), bytes);
          }
        } else if (!zeroed) {
          target.writeZeroes(piece.at(), piece.length(), true);
        }
      }
    }
  }

  /** Writes the buffer but for its runs of zeroes. */
  private void writeData(long at, ByteBuffer bytes) throws BlockException {
    int length = bytes.limit();
    int start = 0;
    while (start < length) {
      boolean zero = isZero(bytes, start, Math.min(length, start + sparse));
      int end = start;
      while (end < length && isZero(bytes, end, Math.min(length, end + sparse)) == zero) {
        end = Math.min(length, end + sparse);
      }
      if (!zero) {
        target.write(at + start, bytes.position(start).limit(end));
        bytes.clear();
      }
      start = end;
    }
  }

  private static boolean isZero(ByteBuffer buffer, int from, int to) {
    int at = from;
    for (; at <= to - Long.BYTES; at += Long.BYTES) {
      if (buffer.getLong(at) != 0) {
        return false;
      }
    }
    for (; at < to; at++) {
      if (buffer.get(at) != 0) {
        return false;
      }
    }
    return true;
  }

  private void compressed(Progress progress) throws BlockException {
    Qcow2Node image = (Qcow2Node) target;
    long size = source.size();
    int cluster = image.clusterSize();
    ByteBuffer buffer = ByteBuffer.allocateDirect(cluster);
    for (long at = 0; at < size; at += cluster) {
      progress.at(at, size);
      Extent extent = source.extent(at, size - at);
      if (extent.zero() && extent.length() >= Math.min(cluster, size - at)) {
        continue;
      }
      int length = (int) Math.min(cluster, size - at);
      buffer.clear().limit(length);
      source.read(at, buffer);
      if (!isZero(buffer, 0, length)) {
        image.writeCompressed(at, buffer.flip());
      }
    }
  }

  static int dd(List<String> words) throws ImgException, BlockException {
    Words w = new Words("dd", words, "f:", "O:", "U", "image-opts", "force-share");
    Map<String, String> operands = new HashMap<>(Map.of("bs", "512", "skip", "0"));
    for (String file : w.files()) {
      int eq = file.indexOf('=');
      if (eq < 0 || !List.of("if", "of", "bs", "count", "skip").contains(file.substring(0, eq))) {
        throw new ImgException("unrecognized operand " + file);
      }
      operands.put(file.substring(0, eq), file.substring(eq + 1));
    }
    if (!operands.containsKey("if") || !operands.containsKey("of")) {
      throw new ImgException("Must specify both input and output file names");
    }
    long block = Math.max(1, Sizes.parse("block size", operands.get("bs")));
    long skip = Math.multiplyExact(block, Sizes.parse("skip", operands.get("skip")));
    Images images = new Images(w);
    try (BlockNode source = images.source(operands.get("if"), w.get("f")).open()) {
      long rest = Math.max(0, source.size() - skip);
      String count = operands.get("count");
      long size = count == null ? rest : Math.min(rest, Math.multiplyExact(block, Sizes.parse("count", count)));
      NewImage made = new NewImage(operands.get("of"), w.get("O").orElse("raw"), List.of(), images).written("unsafe");
      try (BlockNode target = made.make(size)) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(PIECE);
        for (long at = 0; at < size; at += buffer.limit()) {
          buffer.clear().limit((int) Math.min(PIECE, size - at));
          source.read(skip + at, buffer);
          target.write(at, buffer.flip());
        }
        target.flush();
      }
    } catch (ArithmeticException e) {
      throw new ImgException("the operands are too large");
    }
    return 0;
  }
}
