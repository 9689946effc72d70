package org.ascus.launcher.options;

import java.nio.file.Path;
import java.util.Optional;
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
    kv.takeOneOf("discard", "ignore", "off", "unmap", "on");
    kv.expectEmpty();
    if (file.isEmpty()) {
      throw new OptionException("Parameter 'file' is missing");
    }
    ImageOptions image = new ImageOptions(Path.of(file), format, readOnly || cdrom, snapshot, locking);
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
    boolean readOnly = kv.takeSwitch("read-only", false);
    kv.takeSwitch("auto-read-only", false);
    kv.takeOneOf("aio", "threads", "native", "io_uring");
    kv.takeSwitch("cache.direct", false);
    kv.takeSwitch("cache.no-flush", false);
    kv.takeOneOf("discard", "ignore", "off", "unmap", "on");
    String option = "-blockdev " + argument;
    switch (driver) {
      case "file", "host_device" -> {
        ImageOptions image = new ImageOptions(Path.of(kv.require("filename")), "raw", readOnly, false, locking(kv, ""));
        draft.fileNodes.put(name, new DriveOptions(option, name, false, image));
      }
      case "raw" -> draft.drives.add(new DriveOptions(option, name, false, raw(draft, kv, readOnly)));
      default -> throw new OptionException("Unknown driver '" + driver + "'");
    }
    kv.expectEmpty();
  }

  private static ImageOptions raw(Draft draft, KeyValues kv, boolean readOnly) throws OptionException {
    Optional<String> below = kv.take("file");
    if (below.isPresent()) {
      DriveOptions node = draft.fileNodes.remove(below.get());
      if (node == null) {
        throw new OptionException("Cannot find device='' nor node-name='" + below.get() + "'");
      }
      ImageOptions file = node.image();
      return new ImageOptions(file.file(), "raw", readOnly || file.readOnly(), false, file.locking());
    }
    kv.takeOneOf("file.driver", "file", "host_device");
    boolean fileReadOnly = kv.takeSwitch("file.read-only", false);
    kv.takeSwitch("file.auto-read-only", false);
    kv.takeOneOf("file.discard", "ignore", "off", "unmap", "on");
    kv.takeOneOf("file.aio", "threads", "native", "io_uring");
    boolean locking = locking(kv, "file.");
    return new ImageOptions(Path.of(kv.require("file.filename")), "raw", readOnly || fileReadOnly, false, locking);
  }

  private static boolean locking(KeyValues kv, String prefix) throws OptionException {
    return !kv.takeOneOf(prefix + "locking", "on", "off", "auto").orElse("auto").equals("off");
  }
}
