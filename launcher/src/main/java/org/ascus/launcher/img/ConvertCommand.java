package org.ascus.launcher.img;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.Extent;
import org.ascus.devices.block.crypto.LuksNode;
import org.ascus.devices.block.filter.ThrottleGroup;
import org.ascus.devices.block.filter.ThrottleLimits;
import org.ascus.devices.block.filter.ZeroDetector;
import org.ascus.devices.block.format.ImageOptions;
import org.ascus.devices.block.format.qcow2.Qcow2Node;

/** {@code ascus-img convert} and {@code dd}: copies an image's bytes into a new image. */
final class ConvertCommand {
  private static final int PIECE = 2 << 20;
  private static final int SECTOR = 512;
  private static final int DEFAULT_SPARSE = 4096;
  private static final int MOST_SPARSE = 16 << 20;
  private static final int MOST_REQUESTS = 16;
  private static final Set<String> CACHE_MODES = Set.of("none", "writeback", "writethrough", "directsync", "unsafe");

  private final BlockNode source;
  private final BlockNode target;
  private final Way way;
  private final Optional<ThrottleGroup> rate;

  /**
   * What is written.
   *
   * @param sparse bytes of zeroes that are not written; 0 to write all
   * @param zeroed whether the target reads as zero, so that zeroes need not be written
   * @param own the target's backing file has what the source's has, which is not written
   */
  private record Way(int sparse, boolean zeroed, boolean own) {}

  private ConvertCommand(BlockNode source, BlockNode target, Way way, Optional<ThrottleGroup> rate) {
    this.source = source;
    this.target = target;
    this.way = way;
    this.rate = rate;
  }

  static int run(List<String> words, PrintStream out, PrintStream errors) throws ImgException, BlockException {
    Words w = new Words("convert", words, "f:", "O:", "o:", "B:", "F:", "S:", "l:", "t:", "T:", "m:", "r:", "c", "C",
        "n", "p", "q", "W", "U", "target-is-zero", "image-opts", "bitmaps", "skip-broken-bitmaps",
        "target-image-opts", "force-share", "salvage");
    if (OptionHelp.wanted(w.all("o"))) {
      Optional<String> file = w.files().isEmpty() ? Optional.empty() : Optional.of(w.files().getLast());
      out.print(OptionHelp.ofCreation(w.get("O").orElse("raw"), file));
      return 0;
    }
    int sparse = sparse(w);
    Optional<ThrottleGroup> rate = rate(w);
    check(w);
    List<String> inputs = w.files().subList(0, w.files().size() - 1);
    String output = w.files().getLast();
    Progress progress = new Progress(out, w.has("p") && !w.has("q"));
    Images images = new Images(w);
    PrintStream warnings = w.has("q") ? new PrintStream(OutputStream.nullOutputStream()) : errors;
    Optional<NewImage> made = w.has("n") ? Optional.empty() : Optional.of(made(w, images, output));
    boolean backed = w.get("B").isPresent()
        || made.isPresent() && !made.get().option("backing_file").orElse("").isEmpty();
    if (backed && inputs.size() > 1) {
      throw new ImgException(
          "Having a backing file for the target makes no sense when concatenating multiple input images");
    }
    try (BlockNode source = source(w, images, inputs, warnings);
        BlockNode target = made.isPresent() ? made.get().make(source.size()) : existing(w, images, output)) {
      if (target.size() < source.size()) {
        throw new ImgException("output file is smaller than input file");
      }
      boolean fresh = made.isPresent() && !(target instanceof LuksNode) && !backed && sparse > 0;
      Way way = new Way(sparse, fresh || w.has("target-is-zero"), backed);
      ConvertCommand copy = new ConvertCommand(source, target, way, rate);
      if (w.has("c")) {
        copy.compressed(progress);
      } else {
        copy.plain(progress);
      }
      if (w.has("bitmaps")) {
        BitmapCommand.copy(source, target, w.has("skip-broken-bitmaps"));
      }
      target.flush();
      progress.end();
    }
    return 0;
  }

  private static int sparse(Words w) throws ImgException {
    if (w.get("S").isEmpty()) {
      return DEFAULT_SPARSE;
    }
    long sparse = Sizes.parse("buffer size for sparse output", w.get("S").get());
    if (sparse % SECTOR != 0 || sparse > MOST_SPARSE) {
      throw new ImgException("Invalid buffer size for sparse output specified. Valid sizes are multiples of " + SECTOR
          + " up to " + MOST_SPARSE + ". Select 0 to disable sparse detection (fully allocates output).");
    }
    return (int) sparse;
  }

  /** What {@code -r} allows to be written. */
  static Optional<ThrottleGroup> rate(Words w) throws ImgException, BlockException {
    if (w.get("r").isEmpty()) {
      return Optional.empty();
    }
    long rate = Sizes.parse("rate limit", w.get("r").get());
    return Optional.of(new ThrottleGroup(
        ThrottleLimits.read((name, otherwise) -> name.equals("bps-write") ? rate : otherwise)));
  }

  /** What does not go together. */
  private static void check(Words w) throws ImgException {
    if (w.get("m").isPresent()
        && (!w.get("m").get().matches("[0-9]{1,2}") || Integer.parseInt(w.get("m").get()) < 1
            || Integer.parseInt(w.get("m").get()) > MOST_REQUESTS)) {
      throw new ImgException(
          "Invalid number of coroutines. Allowed number of coroutines is between 1 and " + MOST_REQUESTS);
    }
    refuse(w.has("skip-broken-bitmaps") && !w.has("bitmaps"), "Use of --skip-broken-bitmaps requires --bitmaps");
    refuse(w.has("C") && w.has("c"), "Cannot enable copy offloading when -c is used");
    refuse(w.has("C") && w.has("S"), "Cannot enable copy offloading when -S is used");
    refuse(w.has("C") && w.has("salvage"), "Cannot use copy offloading in salvaging mode");
    refuse(w.has("target-is-zero") && !w.has("n"), "--target-is-zero requires use of -n flag");
    refuse(w.has("target-image-opts") && !w.has("n"), "--target-image-opts requires use of -n flag");
    refuse(w.has("n") && w.has("o"), "-o has no effect when skipping image creation");
    refuse(w.files().isEmpty() || w.files().size() < 2, "Must specify image file name");
    refuse(w.has("l") && w.files().size() > 2, "No support for concatenating multiple snapshot");
    refuse(w.has("bitmaps") && w.files().size() > 2, "Copying bitmaps only possible with single source");
    refuse(w.get("B").isPresent() && !w.get("O").orElse("raw").equals("qcow2") && !w.has("n"),
        "Backing file not supported for file format '" + w.get("O").orElse("raw") + "'");
    refuse(w.get("B").isPresent() && w.get("F").isEmpty(), "Use of backing file requires explicit backing format");
    cache(w.get("t"), "cache");
    cache(w.get("T"), "source cache");
  }

  private static void refuse(boolean wrong, String complaint) throws ImgException {
    if (wrong) {
      throw new ImgException(complaint);
    }
  }

  private static void cache(Optional<String> mode, String what) throws ImgException {
    refuse(mode.isPresent() && !CACHE_MODES.contains(mode.get()),
        "Invalid " + what + " option: " + mode.orElse(""));
  }

  private static BlockNode source(Words w, Images images, List<String> names, PrintStream warnings)
      throws ImgException, BlockException {
    List<BlockNode> parts = new ArrayList<>();
    try {
      for (String name : names) {
        BlockNode part = Images.asOf(images.source(name, w.get("f")), w.get("l"));
        parts.add(w.has("salvage") ? new SalvagedImage(part, warnings) : part);
      }
      return parts.size() == 1 ? parts.getFirst() : new JoinedImages(parts);
    } catch (ImgException | BlockException e) {
      JoinedImages.closeAll(parts);
      throw e;
    }
  }

  private static BlockNode existing(Words w, Images images, String name) throws ImgException, BlockException {
    BlockNode target = (w.has("target-image-opts") ? images.described(name)
        : ImageOptions.named(name, w.get("O").orElse("raw"), false, false, true)).open();
    if (w.has("c") && !(target instanceof Qcow2Node)) {
      target.close();
      throw new ImgException("Compression not supported for this file format");
    }
    return target;
  }

  private static NewImage made(Words w, Images images, String name) throws ImgException {
    String format = w.get("O").orElse("raw");
    NewImage image =
        new NewImage(name, format, w.all("o"), images).written(w.get("t").orElse("unsafe")).overBacking();
    refuse(w.has("c") && !format.equals("qcow2"), "Compression not supported for this file format");
    w.get("B").ifPresent(file -> image.set("backing_file", file));
    w.get("F").ifPresent(kind -> image.set("backing_fmt", kind));
    return image;
  }

  private void plain(Progress progress) throws BlockException {
    long size = source.size();
    try (ReadAhead reader = new ReadAhead(source, PIECE, way.own())) {
      for (ReadAhead.Piece piece = reader.next(); piece.length() > 0; piece = reader.next()) {
        progress.at(piece.at(), size);
        if (piece.bytes().isPresent()) {
          ByteBuffer bytes = piece.bytes().get();
          pace(bytes.remaining());
          if (way.zeroed() && way.sparse() > 0) {
            writeData(piece.at(), bytes);
          } else {
            target.write(piece.at(), bytes);
          }
        } else if (!way.zeroed() && !piece.below()) {
          target.writeZeroes(piece.at(), piece.length(), way.sparse() > 0);
        }
      }
    }
  }

  private void pace(long bytes) {
    rate.ifPresent(group -> group.admit(true, bytes));
  }

  /** Writes the buffer but for its runs of zeroes. */
  private void writeData(long at, ByteBuffer bytes) throws BlockException {
    int length = bytes.limit();
    int sparse = way.sparse();
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
    return ZeroDetector.isZero(buffer.slice(from, to - from));
  }

  private void compressed(Progress progress) throws BlockException {
    Qcow2Node image = (Qcow2Node) target;
    long size = source.size();
    int cluster = image.clusterSize();
    ByteBuffer buffer = ByteBuffer.allocateDirect(cluster);
    Extents extents = new Extents(source);
    for (long at = 0; at < size; at += cluster) {
      progress.at(at, size);
      Extent extent = extents.at(at);
      int length = (int) Math.min(cluster, size - at);
      boolean whole = extent.length() >= length;
      if (whole && way.own() && extent.depth() > 0) {
        continue;
      }
      buffer.clear().limit(length);
      if (!whole || !extent.zero()) {
        source.read(at, buffer);
      }
      if (whole && extent.zero() || isZero(buffer, 0, length)) {
        if (!way.zeroed()) {
          image.writeZeroes(at, length, true);
        }
      } else {
        pace(length);
        if (length < Math.min(cluster, image.size() - at)) {
          image.write(at, buffer.position(0));
        } else {
          image.writeCompressed(at, buffer.position(0));
        }
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
