package org.ascus.launcher.img;

import java.io.PrintStream;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.crypto.LuksNode;
import org.ascus.devices.block.crypto.LuksVolume;
import org.ascus.devices.block.format.ImageOptions;
import org.ascus.devices.block.format.qcow2.Qcow2Node;

/** {@code ascus-img amend}: adds and erases the keys of an image that is encrypted with LUKS. */
final class AmendCommand {
  private static final List<String> NAMES = List.of("state", "new-secret", "old-secret", "keyslot", "iter-time");

  private AmendCommand() {}

  static int run(List<String> words, PrintStream out) throws ImgException, BlockException {
    Words w = new Words("amend", words, "f:", "o:", "t:", "p", "q", "image-opts", "force");
    String name = w.files(1, "Expecting one image file name").getFirst();
    if (w.all("o").isEmpty()) {
      throw new ImgException("Must specify options (-o)");
    }
    Map<String, String> options = new HashMap<>();
    for (String option : String.join(",", w.all("o")).split(",")) {
      String[] pair = option.split("=", 2);
      options.put(pair[0], pair.length == 2 ? pair[1] : "on");
    }
    Images images = new Images(w);
    ImageOptions image = images.target(name, w.get("f"));
    try (BlockNode node = image.open()) {
      switch (node) {
        case LuksNode luks -> amend(images, image, luks.volume(), options, "");
        case Qcow2Node q when q.luks().isPresent() -> amend(images, image, q.luks().get(), options, "encrypt.");
        default -> throw new ImgException("'" + name + "' is not encrypted with LUKS; nothing else can be amended");
      }
    }
    Progress progress = new Progress(out, w.has("p") && !w.has("q"));
    progress.end();
    return 0;
  }

  private static void amend(
      Images images, ImageOptions image, LuksVolume volume, Map<String, String> options, String prefix)
      throws ImgException, BlockException {
    for (String option : options.keySet()) {
      if (!option.startsWith(prefix) || !NAMES.contains(option.substring(prefix.length()))) {
        throw new ImgException("Invalid parameter '" + option + "'");
      }
    }
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
