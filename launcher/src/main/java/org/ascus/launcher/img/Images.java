package org.ascus.launcher.img;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.crypto.ImageKey;
import org.ascus.devices.block.format.ImageOptions;
import org.ascus.devices.block.format.qcow2.Qcow2Node;
import org.ascus.devices.block.format.qcow2.Snapshots;
import org.ascus.devices.block.protocol.JsonKeys;
import org.ascus.devices.block.protocol.Protocols;
import org.ascus.devices.security.Authorization;
import org.ascus.devices.security.Secret;
import org.ascus.devices.security.TlsCredentials;
import org.ascus.launcher.options.ImageArguments;
import org.ascus.launcher.options.KeyValues;
import org.ascus.launcher.options.OptionException;

/** The images that a command names: file names, {@code json:} descriptions, or {@code --image-opts}. */
final class Images {
  private final ImageArguments arguments;
  private final boolean described;
  private final boolean locking;

  /** @param w options {@code object}, {@code image-opts}, {@code U} and {@code force-share} are looked at */
  Images(Words w) throws ImgException {
    try {
      arguments = new ImageArguments(w.all("object"));
    } catch (OptionException e) {
      throw new ImgException(e.getMessage());
    }
    described = w.has("image-opts");
    locking = !w.has("U") && !w.has("force-share");
  }

  /** An image that is read. */
  ImageOptions source(String name, Optional<String> format) throws ImgException {
    return image(name, format, described, true);
  }

  /**
   * Opens an image as it is, or as it was at a snapshot.
   *
   * @param snapshot its id or name, or {@code snapshot.id=ID,snapshot.name=NAME} or a part of that
   */
  static BlockNode asOf(ImageOptions image, Optional<String> snapshot) throws ImgException, BlockException {
    BlockNode node = image.open();
    try {
      return snapshot.isPresent() ? asOf(node, snapshot.get()) : node;
    } catch (ImgException | BlockException e) {
      node.close();
      throw e;
    }
  }

  private static BlockNode asOf(BlockNode node, String wanted) throws ImgException, BlockException {
    if (!(node instanceof Qcow2Node image)) {
      throw new ImgException(
          "Failed to load snapshot: Device '" + node.name() + "' does not support internal snapshots");
    }
    List<Snapshots.Snapshot> all = image.snapshots().list();
    Optional<Snapshots.Snapshot> found;
    if (wanted.startsWith("snapshot.")) {
      Map<String, String> keys = new HashMap<>();
      for (String part : wanted.split(",")) {
        String[] pair = part.split("=", 2);
        keys.put(pair[0], pair.length > 1 ? pair[1] : "");
      }
      Optional<String> id = Optional.ofNullable(keys.remove("snapshot.id"));
      Optional<String> name = Optional.ofNullable(keys.remove("snapshot.name"));
      if (!keys.isEmpty()) {
        throw new ImgException("Failed in parsing snapshot param '" + wanted + "'");
      }
      found = all.stream().filter(s -> id.orElse(s.id()).equals(s.id()) && name.orElse(s.name()).equals(s.name()))
          .findFirst();
    } else {
      found = image.snapshots().find(wanted);
    }
    return image.asOf(found.orElseThrow(() -> new ImgException("Failed to load snapshot: Can't find snapshot")));
  }

  /** An image that is written. */
  ImageOptions target(String name, Optional<String> format) throws ImgException {
    return image(name, format, described, false);
  }

  /** An image whose tables are changed, not what is in it: without its backing file and key. */
  ImageOptions bitmaps(String name, Optional<String> format) throws ImgException {
    ImageOptions image = target(name, format);
    return image.withDetails(image.details().withKey(ImageKey.NOT_NEEDED).withBacking(Optional.empty()));
  }

  /** An image that was described by {@code --target-image-opts}. */
  ImageOptions described(String name) throws ImgException {
    return image(name, Optional.empty(), true, false);
  }

  /** An image that is looked at but not into, so it needs no key. */
  ImageOptions outside(String name, Optional<String> format) throws ImgException {
    ImageOptions image = source(name, format);
    return image.withDetails(image.details().withKey(ImageKey.NOT_NEEDED));
  }

  private ImageOptions image(String name, Optional<String> format, boolean options, boolean readOnly)
      throws ImgException {
    if (options && format.isPresent()) {
      throw new ImgException("--image-opts and --format are mutually exclusive");
    }
    try {
      if (!options && !name.startsWith("json:")) {
        return new ImageOptions(Protocols.named(name), format.orElse(""), readOnly, false, locking);
      }
      ImageOptions image = arguments.image(options ? name : name.substring("json:".length()));
      return new ImageOptions(image.file(), image.format(), readOnly || image.readOnly(), false,
          locking && image.locking(), image.details());
    } catch (OptionException | BlockException e) {
      throw new ImgException("Could not open '" + name + "': " + e.getMessage());
    }
  }

  /**
   * What to call an image that {@link #source} has made of {@code name}.
   *
   * @param format that it turned out to have
   */
  String shown(String name, ImageOptions image, String format) throws ImgException {
    boolean json = name.startsWith("json:");
    if (!described && !json) {
      return image.file().name();
    }
    try {
      String text = json ? name.substring("json:".length()) : name;
      boolean inJson = text.startsWith("{");
      Map<String, String> options =
          inJson ? JsonKeys.read(text) : new HashMap<>(KeyValues.parse(text, "").rest());
      return DescribedName.of(options, inJson, format, image.file().name());
    } catch (OptionException | BlockException e) {
      throw new ImgException(e.getMessage());
    }
  }

  static Path path(String name) throws ImgException {
    try {
      return Path.of(name);
    } catch (InvalidPathException e) {
      throw new ImgException("Could not open '" + name + "': not a file name");
    }
  }

  /** TLS credentials that an option names. */
  TlsCredentials credentials(String id) throws ImgException {
    try {
      return arguments.objects().credentials(id);
    } catch (BlockException e) {
      throw new ImgException(e.getMessage());
    }
  }

  /** Who may come in, by the id that an option names. */
  Authorization authorization(String id) throws ImgException {
    return arguments.authorization(id).orElseThrow(() -> new ImgException("No authorization object '" + id + "'"));
  }

  /** A secret that a creation option names. */
  Secret secret(String id) throws ImgException {
    try {
      return arguments.secret(id);
    } catch (OptionException e) {
      throw new ImgException(e.getMessage());
    }
  }
}
