package org.ascus.launcher.img;

import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.Extent;
import org.ascus.devices.block.format.ImageOptions;
import org.ascus.devices.block.format.qcow2.Qcow2Node;
import org.ascus.devices.block.format.qcow2.Snapshots;

/** The commands that make or change one image: create, resize, snapshot, rebase. */
final class EditCommands {
  private static final int PIECE = 2 << 20;

  private EditCommands() {}

  static void say(Words w, PrintStream out, String text) {
    if (!w.has("q")) {
      out.println(text);
    }
  }

  static int create(List<String> words, PrintStream out) throws ImgException, BlockException {
    Words w = new Words("create", words, "f:", "b:", "F:", "o:", "q", "u");
    if (OptionHelp.wanted(w.all("o"))) {
      out.print(OptionHelp.ofCreation(w.get("f").orElse("raw"), w.files().stream().findFirst()));
      return 0;
    }
    if (w.files().isEmpty() || w.files().size() > 2) {
      throw new ImgException("Expecting image file name");
    }
    String name = w.files().getFirst();
    NewImage image = new NewImage(name, w.get("f").orElse("raw"), w.all("o"), new Images(w));
    w.get("b").ifPresent(file -> image.set("backing_file", file));
    w.get("F").ifPresent(format -> image.set("backing_fmt", format));
    if (image.option("backing_file").isPresent() && image.option("backing_fmt").isEmpty()) {
      throw new ImgException(name + ": Backing file specified without backing format");
    }
    Optional<String> size = w.files().size() == 2 ? Optional.of(w.files().get(1)) : image.option("size");
    long bytes = size.isPresent() ? Sizes.parse("image size", size.get()) : backingSize(name, image, w);
    say(w, out, image.describe(bytes));
    image.make(bytes).close();
    return 0;
  }

  private static long backingSize(String name, NewImage image, Words w) throws ImgException, BlockException {
    Optional<String> backing = image.option("backing_file");
    if (backing.isEmpty() || w.has("u")) {
      throw new ImgException(name + ": Image creation needs a size parameter");
    }
    String path = ImageOptions.neighbour(name, backing.get());
    try (BlockNode node = ImageOptions.named(path, image.option("backing_fmt").orElse(""), true, false, true).open()) {
      return node.size();
    }
  }

  static int resize(List<String> words, PrintStream out, PrintStream errors) throws ImgException, BlockException {
    if (words.isEmpty()) {
      throw new ImgException("Not enough arguments");
    }
    // The size may begin with a minus.
    String text = words.getLast();
    Words w = new Words("resize", words.subList(0, words.size() - 1), "f:", "q", "shrink", "preallocation=",
        "image-opts");
    String name = w.files(1, "Expecting image file name and size").getFirst();
    boolean relative = text.startsWith("+") || text.startsWith("-");
    long given = Sizes.parse("image size", relative ? text.substring(1) : text);
    String way = w.get("preallocation").orElse("off");
    if (!NewImage.PREALLOCATIONS.contains(way)) {
      throw new ImgException("Invalid preallocation mode '" + way + "'");
    }
    try (BlockNode node = new Images(w).target(name, w.get("f")).open()) {
      long old = node.size();
      long size = !relative ? given : text.startsWith("+") ? old + given : old - given;
      size = Math.ceilDiv(size, 512L) * 512;
      if (size <= 0) {
        throw new ImgException("New image size must be positive");
      }
      if (size < old && !w.has("shrink")) {
        errors.println("ascus-img: warning: Shrinking an image will delete all data beyond the shrunken image's end. "
            + "Before performing such an operation, make sure there is no important data there.");
        throw new ImgException("Use the --shrink option to perform a shrink operation.");
      }
      if (size <= old && !way.equals("off")) {
        throw new ImgException("Preallocation can only be used for growing images");
      }
      if (way.equals("metadata") && !(node instanceof Qcow2Node)) {
        throw new ImgException("Unsupported preallocation mode: metadata");
      }
      node.resize(size);
      NewImage.preallocate(node, old, way);
      say(w, out, "Image resized.");
    }
    return 0;
  }

  static Qcow2Node qcow2(BlockNode node, String what) throws ImgException {
    if (node instanceof Qcow2Node image) {
      return image;
    }
    throw new ImgException("'" + node.name() + "' is not a qcow2 image: " + what);
  }

  static int snapshot(List<String> words, PrintStream out) throws ImgException, BlockException {
    Words w = new Words("snapshot", words, "f:", "l", "a:", "c:", "d:", "q", "U", "image-opts",
        "force-share");
    String file = w.files(1, "Expecting one image file name").getFirst();
    boolean change = w.has("a") || w.has("c") || w.has("d");
    Images images = new Images(w);
    // Snapshots are made of tables; the guest's bytes stay closed.
    ImageOptions options = change ? images.target(file, w.get("f")) : images.outside(file, w.get("f"));
    try (BlockNode node = options.open()) {
      Snapshots snapshots = qcow2(node, "no snapshots").snapshots();
      if (w.get("c").isPresent()) {
        Instant now = Instant.now();
        snapshots.create(w.get("c").get(), now.getEpochSecond(), now.getNano());
      } else if (w.get("a").isPresent()) {
        snapshots.apply(find(snapshots, w.get("a").get(), "Could not apply snapshot"));
      } else if (w.get("d").isPresent()) {
        snapshots.delete(find(snapshots, w.get("d").get(), "Could not delete snapshot"));
      } else {
        out.print(InfoCommand.snapshots(snapshots.list()));
      }
    }
    return 0;
  }

  private static Snapshots.Snapshot find(Snapshots snapshots, String name, String what) throws ImgException {
    return snapshots.find(name)
        .orElseThrow(() -> new ImgException(what + " '" + name + "': snapshot not found"));
  }

  static int rebase(List<String> words, PrintStream out) throws ImgException, BlockException {
    Words w = new Words("rebase", words, "f:", "t:", "T:", "b:", "F:", "u", "p", "q", "U", "image-opts",
        "force-share");
    ImageOptions options = new Images(w).target(w.files(1, "Expecting one image file name").getFirst(), w.get("f"));
    String path = options.file().name();
    String backing = w.get("b").orElseThrow(() -> new ImgException("Use backing_file (-b) option"));
    String format = w.get("F").orElse("");
    if (!backing.isEmpty() && format.isEmpty()) {
      throw new ImgException(
          "Could not change the backing file to '" + backing + "': backing format must be specified");
    }
    Progress progress = new Progress(out, w.has("p") && !w.has("q"));
    if (w.has("u")) {
      options = options.withDetails(options.details().withBacking(Optional.empty()));
    }
    try (BlockNode node = options.open()) {
      Qcow2Node image = qcow2(node, "it cannot have a backing file");
      if (!w.has("u")) {
        keepContent(image, path, backing, format, progress);
        progress.end();
      }
      image.renameBacking(backing, format);
    }
    return 0;
  }

  /** Copies into the image what the new backing file does not have as the old one has it. */
  private static void keepContent(Qcow2Node image, String path, String backing, String format, Progress progress)
      throws BlockException {
    Optional<BlockNode> after = Optional.empty();
    if (!backing.isEmpty()) {
      after = Optional.of(
          ImageOptions.named(ImageOptions.neighbour(path, backing), format, true, false, true).open());
    }
    try {
      ByteBuffer now = ByteBuffer.allocateDirect(PIECE);
      ByteBuffer then = ByteBuffer.allocateDirect(PIECE);
      for (long at = 0; at < image.size(); ) {
        progress.at(at, image.size());
        Extent extent = image.ownExtent(at, image.size() - at);
        long length = Math.min(extent.length(), image.clusterSize() - at % image.clusterSize());
        if (!extent.present()) {
          now.clear().limit((int) length);
          image.read(at, now);
          then.clear().limit((int) length);
          if (after.isPresent() && at < after.get().size()) {
            then.limit((int) Math.min(length, after.get().size() - at));
            after.get().read(at, then);
            then.limit((int) length);
          }
          while (then.hasRemaining()) {
            then.put((byte) 0);
          }
          if (!now.flip().equals(then.flip())) {
            image.write(at, now);
          }
        }
        at += length;
      }
      image.flush();
    } finally {
      if (after.isPresent()) {
        after.get().close();
      }
    }
  }
}
