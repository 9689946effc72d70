package org.ascus.launcher.img;

import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.crypto.LuksNode;
import org.ascus.devices.block.crypto.LuksVolume;
import org.ascus.devices.block.format.ImageOptions;
import org.ascus.devices.block.format.qcow2.Amendment;
import org.ascus.devices.block.format.qcow2.Qcow2Node;

/** {@code ascus-img amend}: changes a qcow2 image's version, features or size, and the keys of a LUKS volume. */
final class AmendCommand {
  private AmendCommand() {}

  static int run(List<String> words, PrintStream out) throws ImgException, BlockException {
    Words w = new Words("amend", words, "f:", "o:", "t:", "p", "q", "image-opts", "force");
    if (w.all("o").isEmpty()) {
      throw new ImgException("Must specify options (-o)");
    }
    if (OptionHelp.wanted(w.all("o"))) {
      out.print(OptionHelp.ofAmendment(w.get("f").orElse("qcow2")));
      return 0;
    }
    String name = w.files(1, "Expecting one image file name").getFirst();
    Map<String, String> options = new LinkedHashMap<>();
    for (String option : String.join(",", w.all("o")).split(",")) {
      String[] pair = option.split("=", 2);
      options.put(pair[0], pair.length == 2 ? pair[1] : "on");
    }
    Images images = new Images(w);
    ImageOptions image = images.target(name, w.get("f"));
    try (BlockNode node = image.open()) {
      switch (node) {
        case LuksNode luks -> {
          check("luks", options);
          amend(images, image, luks.volume(), options, "");
        }
        case Qcow2Node q -> {
          check("qcow2", options);
          amend(images, image, q, options);
        }
        default -> throw new ImgException("Format driver '" + (image.format().isEmpty() ? "raw" : image.format())
            + "' does not support option amendment");
      }
    }
    Progress progress = new Progress(out, w.has("p") && !w.has("q"));
    progress.end();
    return 0;
  }

  private static void check(String format, Map<String, String> options) throws ImgException {
    for (String option : options.keySet()) {
      OptionHelp.checkAmendment(format, option);
    }
  }

  private static void amend(Images images, ImageOptions image, Qcow2Node node, Map<String, String> options)
      throws ImgException, BlockException {
    Qcow2Node.Info info = node.info();
    if (!options.getOrDefault("backing_file", info.backingFile()).equals(info.backingFile())
        || !options.getOrDefault("backing_fmt", info.backingFormat()).equals(info.backingFormat())) {
      throw new ImgException("Cannot amend the backing file\nYou can use 'ascus-img rebase' instead.");
    }
    if (options.keySet().stream().anyMatch(o -> o.startsWith("encrypt."))) {
      LuksVolume volume =
          node.luks().orElseThrow(() -> new ImgException("Only LUKS encryption options can be amended"));
      amend(images, image, volume, options, "encrypt.");
    }
    Optional<Integer> version = Optional.empty();
    if (options.containsKey("compat")) {
      version = Optional.of(NewImage.version(options.get("compat")));
    }
    Optional<Integer> bits = Optional.empty();
    if (options.containsKey("refcount_bits")) {
      bits = Optional.of((int) Math.min(Sizes.parse("refcount_bits", options.get("refcount_bits")), 1 << 10));
    }
    Amendment amendment =
        new Amendment(version, flag(options, "lazy_refcounts"), bits, Optional.ofNullable(options.get("data_file")),
            flag(options, "data_file_raw"));
    if (!amendment.isEmpty()) {
      node.amend(amendment);
    }
    if (options.containsKey("size")) {
      node.resize(Math.ceilDiv(Sizes.parse("image size", options.get("size")), 512L) * 512);
    }
  }

  private static Optional<Boolean> flag(Map<String, String> options, String name) throws ImgException {
    return options.containsKey(name) ? Optional.of(NewImage.flag(name, options.get(name))) : Optional.empty();
  }

  private static void amend(
      Images images, ImageOptions image, LuksVolume volume, Map<String, String> options, String prefix)
      throws ImgException, BlockException {
    Optional<Integer> slot = options.containsKey(prefix + "keyslot")
        ? Optional.of((int) Math.min(100, Sizes.parse("keyslot", options.get(prefix + "keyslot")))) : Optional.empty();
    String old = options.get(prefix + "old-secret");
    String added = options.get(prefix + "new-secret");
    switch (options.getOrDefault(prefix + "state", "")) {
      case "active" -> {
        if (added == null || old != null) {
          throw new ImgException(added == null ? "'new-secret' is required to activate a keyslot"
              : "'old-secret' must not be given when activating keyslots");
        }
        long millis = Sizes.parse("iter-time", options.getOrDefault(prefix + "iter-time", "2000"));
        byte[] passphrase = image.details().key().passphrase(image.file().name(), prefix + "key-secret").orElseThrow();
        volume.addKey(slot, passphrase, images.secret(added).toBytes(), millis);
      }
      case "inactive" -> {
        if (added != null || old == null == slot.isEmpty()) {
          throw new ImgException(added != null ? "'new-secret' must not be given when erasing keyslots"
              : "To erase keyslot(s), either explicit keyslot index or the password currently contained in them must"
                  + " be given");
        }
        if (old != null) {
          volume.eraseKeys(images.secret(old).toBytes());
        } else {
          volume.eraseKey(slot.get());
        }
      }
      default -> throw new ImgException("Parameter '" + prefix + "state' is missing, or neither active nor inactive");
    }
  }
}
