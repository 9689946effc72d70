package org.ascus.launcher.options;

import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import org.ascus.devices.block.crypto.ImageKey;
import org.ascus.devices.block.format.ImageOptions;
import org.ascus.polyglot.DriveOptions;

/** {@code -drive} and {@code -blockdev}. */
final class StorageArguments {
  private static final String[] CACHE_MODES = {"none", "writeback", "writethrough", "directsync", "unsafe"};

  private StorageArguments() {}

  static void drive(Draft draft, String argument) throws OptionException {
    KeyValues kv = KeyValues.parse(argument, "");
    String kind = kv.take("if").orElse("virtio");
    String file = kv.take("file").or(() -> kv.take("file.filename")).orElse("");
    Optional<String> id = kv.take("id");
    String format = kv.take("format").or(() -> kv.take("driver")).orElse("");
    boolean readOnly = kv.takeSwitch("readonly", kv.takeSwitch("read-only", false));
    boolean snapshot = kv.takeSwitch("snapshot", false);
    boolean cdrom = kv.takeOneOf("media", "disk", "cdrom").orElse("disk").equals("cdrom");
    boolean locking = !kv.takeOneOf("file.locking", "on", "off", "auto").orElse("auto").equals("off");
    int unit = (int) kv.takeNumber("unit", 0, 99).orElse(kv.takeNumber("index", 0, 99).orElse(-1));
    // Every completed write is in the host's page cache, a guest's flush makes it durable: right for all cache modes.
    kv.takeOneOf("cache", CACHE_MODES);
    kv.takeOneOf("aio", "threads", "native", "io_uring");
    kv.takeSwitch("cache.writeback", true);
    kv.takeOneOf("file.driver", "file", "host_device");
    ImageOptions.Details details = key(draft, kv, "", details(kv, format.equals("raw")));
    Optional<ImageOptions> backing = nested(draft, kv, "backing.");
    kv.expectEmpty();
    if (file.isEmpty()) {
      throw new OptionException("Parameter 'file' is missing");
    }
    ImageOptions image =
        new ImageOptions(Path.of(file), format, readOnly || cdrom, snapshot, locking)
            .withDetails(backing.isPresent() ? details.withBacking(backing) : details);
    String name = id.orElse(kind + draft.drives.size());
    String option = "-drive " + argument;
    switch (kind) {
      case "none" -> draft.drives.add(new DriveOptions(option, name, false, image));
      case "virtio" -> draft.drives.add(new DriveOptions(option, name, true, image));
      case "pflash" -> {
        if (unit >= 0) {
          MachineArguments.addFlash(draft, unit, file);
        } else {
          MachineArguments.pflash(draft, file);
        }
      }
      default -> throw new OptionException("unsupported bus type '" + kind + "'");
    }
  }

  /** A file name on its own. */
  static void disk(Draft draft, String file) {
    ImageOptions image = new ImageOptions(Path.of(file), "", false, false, true);
    draft.drives.add(new DriveOptions(file, "virtio" + draft.drives.size(), true, image));
  }

  static void blockdev(Draft draft, String argument) throws OptionException {
    KeyValues kv = KeyValues.parseOrJson(argument, "driver");
    String driver = kv.require("driver");
    String name = kv.require("node-name");
    String option = "-blockdev " + argument;
    if (draft.fileNodes.containsKey(name) || draft.drives.stream().anyMatch(d -> d.id().equals(name))) {
      throw new OptionException("Duplicate nodes with node-name='" + name + "'");
    }
    switch (driver) {
      case "file", "host_device" -> {
        ImageOptions image = file(kv, "");
        draft.fileNodes.put(name, new DriveOptions(option, name, false, image));
      }
      case "raw", "qcow2", "luks" -> draft.drives.add(new DriveOptions(option, name, false, format(draft, kv, driver)));
      default -> throw new OptionException("Unknown driver '" + driver + "'");
    }
    kv.expectEmpty();
  }

  /** A format node; its file and its backing file are nodes of their own or described in it. */
  private static ImageOptions format(Draft draft, KeyValues kv, String driver) throws OptionException {
    boolean readOnly = kv.takeSwitch("read-only", false);
    kv.takeSwitch("auto-read-only", false);
    ImageOptions.Details details = key(draft, kv, "", details(kv, driver.equals("raw")));
    Optional<String> reference = kv.take("file");
    ImageOptions file;
    if (reference.isPresent()) {
      DriveOptions node = draft.fileNodes.remove(reference.get());
      if (node == null) {
        throw new OptionException("Cannot find device='' nor node-name='" + reference.get() + "'");
      }
      file = node.image();
    } else {
      kv.takeOneOf("file.driver", "file", "host_device");
      file = file(kv, "file.");
    }
    if (driver.equals("qcow2")) {
      tuning(kv);
      details = backing(draft, kv, details);
    }
    return new ImageOptions(file.file(), driver, readOnly || file.readOnly(), false, file.locking())
        .withDetails(details);
  }

  /** Options of qcow2 that change how fast it is, not what it does. */
  private static void tuning(KeyValues kv) throws OptionException {
    for (String size : new String[] {"cache-size", "l2-cache-size", "l2-cache-entry-size", "refcount-cache-size"}) {
      kv.takeNumber(size, 0, Long.MAX_VALUE);
    }
    kv.takeNumber("cache-clean-interval", 0, Integer.MAX_VALUE);
  }

  private static ImageOptions.Details backing(Draft draft, KeyValues kv, ImageOptions.Details details)
      throws OptionException {
    Optional<String> reference = kv.take("backing");
    if (reference.isPresent() && reference.get().isEmpty()) {
      return details.withBacking(Optional.empty());
    }
    if (reference.isPresent()) {
      for (DriveOptions drive : draft.drives) {
        if (drive.id().equals(reference.get())) {
          draft.drives.remove(drive);
          ImageOptions i = drive.image();
          return details.withBacking(
              Optional.of(new ImageOptions(i.file(), i.format(), true, false, i.locking(), i.details())));
        }
      }
      throw new OptionException("Cannot find device='' nor node-name='" + reference.get() + "'");
    }
    Optional<ImageOptions> nested = nested(draft, kv, "backing.");
    return nested.isPresent() ? details.withBacking(nested) : details;
  }

  /** An image that is described in another's description, read-only. */
  private static Optional<ImageOptions> nested(Draft draft, KeyValues kv, String prefix) throws OptionException {
    Optional<String> driver = kv.take(prefix + "driver");
    Optional<String> name = kv.take(prefix + "file.filename");
    if (driver.isEmpty() && name.isEmpty()) {
      return Optional.empty();
    }
    kv.takeOneOf(prefix + "file.driver", "file", "host_device");
    if (name.isEmpty()) {
      throw new OptionException("Parameter '" + prefix + "file.filename' is missing");
    }
    boolean locking = locking(kv, prefix + "file.");
    ImageOptions image = new ImageOptions(Path.of(name.get()), driver.orElse(""), true, false, locking);
    return Optional.of(image.withDetails(key(draft, kv, prefix, ImageOptions.Details.NONE)));
  }

  /** The key of an encrypted image. */
  private static ImageOptions.Details key(Draft draft, KeyValues kv, String prefix, ImageOptions.Details details)
      throws OptionException {
    kv.takeOneOf(prefix + "encrypt.format", "luks", "aes");
    Optional<String> id = kv.take(prefix + "key-secret").or(() -> kv.take(prefix + "encrypt.key-secret"));
    return id.isEmpty() ? details : details.withKey(ImageKey.of(draft.security.secret(id.get())));
  }

  /**
   * An image that is described on its own, {@code --image-opts} of the tools.
   *
   * @param draft what it can name
   */
  static ImageOptions image(Draft draft, KeyValues kv) throws OptionException {
    String driver = kv.take("driver").orElse("");
    kv.take("node-name");
    ImageOptions image = driver.equals("file") || driver.equals("host_device") ? file(kv, "")
        : format(draft, kv, driver);
    kv.expectEmpty();
    return image;
  }

  private static ImageOptions file(KeyValues kv, String prefix) throws OptionException {
    boolean readOnly = kv.takeSwitch(prefix + "read-only", false);
    kv.takeSwitch(prefix + "auto-read-only", false);
    kv.takeOneOf(prefix + "aio", "threads", "native", "io_uring");
    kv.takeSwitch(prefix + "cache.direct", false);
    kv.takeSwitch(prefix + "cache.no-flush", false);
    kv.takeOneOf(prefix + "discard", "ignore", "off", "unmap", "on");
    boolean locking = locking(kv, prefix);
    return new ImageOptions(Path.of(kv.require(prefix + "filename")), "raw", readOnly, false, locking);
  }

  /** @param raw whether the image can be a window of its file */
  private static ImageOptions.Details details(KeyValues kv, boolean raw) throws OptionException {
    String discard = kv.takeOneOf("discard", "ignore", "off", "unmap", "on").orElse("ignore");
    String zeroes = kv.takeOneOf("detect-zeroes", "off", "on", "unmap").orElse("off");
    OptionalLong offset = raw ? takeSize(kv, "offset") : OptionalLong.empty();
    OptionalLong size = raw ? takeSize(kv, "size") : OptionalLong.empty();
    kv.takeSwitch("cache.direct", false);
    kv.takeSwitch("cache.no-flush", false);
    boolean unmap = discard.equals("unmap") || discard.equals("on");
    if (zeroes.equals("unmap") && !unmap) {
      throw new OptionException("setting detect-zeroes to unmap is not allowed without setting discard operation to"
          + " unmap");
    }
    return ImageOptions.Details.NONE.withWindow(offset.orElse(0), size).withUnmap(unmap)
        .withDetectZeroes(!zeroes.equals("off"));
  }

  private static OptionalLong takeSize(KeyValues kv, String key) throws OptionException {
    Optional<String> text = kv.take(key);
    return text.isPresent() ? OptionalLong.of(KeyValues.size(key, text.get(), 1)) : OptionalLong.empty();
  }

  private static boolean locking(KeyValues kv, String prefix) throws OptionException {
    return !kv.takeOneOf(prefix + "locking", "on", "off", "auto").orElse("auto").equals("off");
  }
}
