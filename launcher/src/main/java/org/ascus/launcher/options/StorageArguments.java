package org.ascus.launcher.options;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.ErrorPolicy;
import org.ascus.devices.block.crypto.ImageKey;
import org.ascus.devices.block.filter.BlkdebugRules;
import org.ascus.devices.block.filter.Filter;
import org.ascus.devices.block.filter.ThrottleGroup;
import org.ascus.devices.block.format.ImageOptions;
import org.ascus.devices.block.protocol.Location;
import org.ascus.devices.block.protocol.Protocols;
import org.ascus.devices.security.Secret;
import org.ascus.devices.security.TlsCredentials;
import org.ascus.polyglot.DriveOptions;

/** {@code -drive} and {@code -blockdev}. */
final class StorageArguments {
  private static final String[] CACHE_MODES = {"none", "writeback", "writethrough", "directsync", "unsafe"};

  /** Buses of other machines. */
  private static final Set<String> OTHER_BUSES = Set.of("ide", "scsi", "floppy", "sd", "mtd", "xen");

  private static final int MOST_UNITS = 1 << 16;

  private static final Set<String> FORMATS =
      Set.of("raw", "qcow2", "luks", "vmdk", "vdi", "vpc", "vhdx", "parallels", "qed");
  private static final Set<String> READ_ONLY =
      Set.of("vmdk", "vdi", "vpc", "vhdx", "parallels", "qed", "http", "https");
  private static final Set<String> FILTERS = Set.of("throttle", "copy-on-read", "compress", "blkdebug", "blkverify");
  private static final Set<String> FILE_DRIVERS = Set.of("file", "host_device");

  private StorageArguments() {}

  /** {@code -hda} and the like: a file on the bus that the machine's drives are on, or on one that it has not. */
  static Option.Handler at(String word, String place) {
    return (draft, file) ->
        drive(draft, "-" + word + " " + file, "file=" + file.replace(",", ",,") + "," + place);
  }

  static void drive(Draft draft, String argument) throws OptionException {
    drive(draft, "-drive " + argument, argument);
  }

  private static void drive(Draft draft, String option, String argument) throws OptionException {
    KeyValues kv = KeyValues.parse(argument, "");
    boolean free = !kv.has("if");
    String kind = kv.take("if").orElse("virtio");
    Optional<String> named = kv.take("file");
    if (named.isPresent() && named.get().startsWith("json:")) {
      kv.putJson(named.get().substring("json:".length()));
      named = kv.take("file");
    }
    Optional<String> id = kv.takeId().or(() -> kv.take("node-name"));
    String driver = kv.take("format").or(() -> kv.take("driver")).orElse("");
    if (driver.equals("help") || driver.equals("?")) {
      draft.answer(formats());
      return;
    }
    boolean readOnly = kv.takeSwitch("readonly", kv.takeSwitch("read-only", false));
    kv.takeSwitch("auto-read-only", true);
    boolean snapshot = kv.takeSwitch("snapshot", false);
    boolean cdrom = kv.takeOneOf("media", "disk", "cdrom").orElse("disk").equals("cdrom");
    boolean locking = locking(kv, "file.");
    boolean placed = kv.has("unit") || kv.has("index");
    int unit = unit(draft, kind, kv);
    Cache cache = cache(kv);
    boolean protocol = Protocols.isDriver(driver) && !driver.equals("file") && !driver.equals("host_device");
    String format = Protocols.isDriver(driver) ? "" : driver;
    ImageOptions.Details details = key(draft, kv, "", details(kv, format.equals("raw"), false));
    details = format.isEmpty() || format.equals("qcow2") ? kv.taking(details::withTuning) : details;
    Optional<ImageOptions> backing = nested(draft, kv, "backing.");
    boolean copyOnRead = kv.takeSwitch("copy-on-read", false);
    Optional<ThrottleGroup> throttle = ThrottleArguments.drive(draft, kv);
    boolean given = named.isPresent() ? !named.get().isEmpty() : protocol || kv.hasWithin("file.");
    Location file = null;
    if (given) {
      String prefix = protocol ? "" : "file.";
      inheritDirect(kv, cache.direct(), prefix);
      file = named.isPresent() ? named(named.get(), kv) : described(draft, kv, prefix, driver);
    }
    ErrorPolicy errors = errors(kv);
    kv.expectEmpty();
    if (!given) {
      if (!kind.equals("none") || !format.isEmpty()) {
        throw new OptionException("A block device must be specified for \"file\"");
      }
      draft.drives.add(DriveOptions.empty(option, id.orElse(kind + unit), !cache.writeback(), errors));
      return;
    }
    if (file instanceof Location.File plain) {
      boolean durable = plain.durable() && !cache.noFlush();
      file = new Location.File(plain.path(), durable, plain.direct() || cache.direct());
    }
    ImageOptions image =
        new ImageOptions(file, format, readOnly || cdrom, snapshot, locking)
            .withDetails(backing.isPresent() ? details.withBacking(backing) : details);
    image = copyOnRead ? image.withFilter(new Filter.CopyOnRead()) : image;
    image = throttle.isPresent() ? image.withFilter(new Filter.Throttle(throttle.get())) : image;
    String name = id.orElse(kind + unit);
    if (free) {
      draft.freeDrives.add(name);
    }
    switch (kind) {
      case "none" -> draft.drives.add(new DriveOptions(option, name, false, image, !cache.writeback(), errors));
      case "virtio" -> draft.drives.add(new DriveOptions(option, name, true, image, !cache.writeback(), errors));
      case "pflash" -> {
        if (placed) {
          MachineArguments.addFlash(draft, unit, file.name());
        } else {
          MachineArguments.pflash(draft, file.name());
        }
      }
      default -> throw new IllegalArgumentException(kind);
    }
  }

  /** What can be written, and what can be read. */
  private static String formats() {
    TreeSet<String> all = new TreeSet<>(FORMATS);
    all.addAll(FILTERS);
    all.addAll(Protocols.drivers());
    TreeSet<String> written = new TreeSet<>(all);
    written.removeAll(READ_ONLY);
    return "Supported formats: " + String.join(" ", written) + "\nSupported formats (read-only): "
        + String.join(" ", all) + "\n";
  }

  /** The number of a drive among those on its bus: what is asked for, or the lowest that is free. */
  private static int unit(Draft draft, String kind, KeyValues kv) throws OptionException {
    OptionalLong index = kv.takeNumber("index", 0, MOST_UNITS);
    boolean byBus = kv.has("bus") || kv.has("unit");
    long bus = kv.takeNumber("bus", 0, MOST_UNITS).orElse(0);
    OptionalLong asked = index.isPresent() ? index : kv.takeNumber("unit", 0, MOST_UNITS);
    if (index.isPresent() && byBus) {
      throw new OptionException("index cannot be used with bus and unit");
    }
    long unit = asked.orElse(0);
    while (asked.isEmpty() && draft.drivePlaces.contains(kind + bus + ":" + unit)) {
      unit++;
    }
    if (OTHER_BUSES.contains(kind)) {
      throw new OptionException("machine type does not support if=" + kind + ",bus=" + bus + ",unit=" + unit);
    }
    if (!List.of("none", "virtio", "pflash").contains(kind)) {
      throw new OptionException("unsupported bus type '" + kind + "'");
    }
    if (!draft.drivePlaces.add(kind + bus + ":" + unit)) {
      throw new OptionException(
          "drive with bus=" + bus + ", unit=" + unit + " (index=" + index.orElse(-1) + ") exists");
    }
    return (int) unit;
  }

  private static ErrorPolicy errors(KeyValues kv) throws OptionException {
    try {
      return ErrorPolicy.parse(kv.take("rerror"), kv.take("werror"));
    } catch (BlockException e) {
      throw new OptionException(e.getMessage());
    }
  }

  /** What {@code cache=} and the switches that it stands for mean. */
  private record Cache(boolean writeback, boolean direct, boolean noFlush) {}

  /** Where nothing else is said, what the guest writes is in the host's page cache and its flushes are the host's. */
  private static Cache cache(KeyValues kv) throws OptionException {
    String mode = kv.takeOneOf("cache", CACHE_MODES).orElse("writeback");
    boolean through = mode.equals("writethrough") || mode.equals("directsync");
    boolean writeback = kv.takeSwitch("cache.writeback", !through);
    boolean direct = kv.takeSwitch("cache.direct", mode.equals("none") || mode.equals("directsync"));
    boolean noFlush = kv.takeSwitch("cache.no-flush", mode.equals("unsafe"));
    if (kv.takeOneOf("aio", "threads", "native", "io_uring").orElse("threads").equals("native") && !direct) {
      throw new OptionException("aio=native was specified, but it requires cache.direct=on, which was not specified.");
    }
    return new Cache(writeback, direct, noFlush);
  }

  /** A node that is described in another's description has that one's {@code cache.direct} unless it has its own. */
  private static void inheritDirect(KeyValues kv, boolean direct, String prefix) {
    boolean file = FILE_DRIVERS.contains(kv.peek(prefix + "driver").orElse("file"));
    if (direct && file && kv.hasWithin(prefix + "filename") && !kv.has(prefix + "cache.direct")) {
      kv.put(prefix + "cache.direct", "on");
    }
  }

  /** A file name or a URL; {@code file.driver=} may say once more what it is. */
  private static Location named(String name, KeyValues kv) throws OptionException {
    Optional<String> driver = kv.takeOneOf("file.driver", "file", "host_device");
    try {
      Location location = Protocols.named(name);
      if (driver.isPresent() && location instanceof Location.File file) {
        Protocols.checkKind(driver.get(), file.path());
      }
      return location;
    } catch (BlockException e) {
      throw new OptionException(e.getMessage());
    }
  }

  /** A protocol node described by the options that begin with {@code prefix}. */
  private static Location described(Draft draft, KeyValues kv, String prefix, String otherwise)
      throws OptionException {
    String driver = kv.take(prefix + "driver").orElse(otherwise.isEmpty() || !prefix.isEmpty() ? "file" : otherwise);
    Map<String, String> keys = kv.takeWithin(prefix);
    try {
      Location location = Protocols.described(driver, keys, objects(draft));
      for (String rest : keys.keySet()) {
        throw new OptionException("Invalid parameter '" + prefix + rest + "'");
      }
      return location;
    } catch (BlockException e) {
      throw new OptionException(e.getMessage());
    }
  }

  /** What the options of a protocol may name. */
  private static Protocols.Objects objects(Draft draft) {
    Protocols.Objects others = draft.security.objects();
    return new Protocols.Objects() {
      @Override
      public TlsCredentials credentials(String id) throws BlockException {
        return others.credentials(id);
      }

      @Override
      public Secret secret(String id) throws BlockException {
        return others.secret(id);
      }

      @Override
      public Location node(String name) throws BlockException {
        DriveOptions node = draft.fileNodes.remove(name);
        return node == null ? others.node(name) : node.image().file();
      }
    };
  }

  /** A file name on its own. */
  static void disk(Draft draft, String file) throws OptionException {
    int unit = unit(draft, "virtio", KeyValues.of(Map.of()));
    ImageOptions image;
    try {
      image = ImageOptions.named(file, "", false, false, true);
    } catch (BlockException e) {
      throw new OptionException(e.getMessage());
    }
    draft.drives.add(new DriveOptions(file, "virtio" + unit, true, image));
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
      case String d when Protocols.isDriver(d) -> {
        ImageOptions image = file(draft, kv, "", d);
        draft.fileNodes.put(name, new DriveOptions(option, name, false, image));
      }
      case String d when FORMATS.contains(d) ->
          draft.drives.add(new DriveOptions(option, name, false, format(draft, kv, driver)));
      case String d when FILTERS.contains(d) ->
          draft.drives.add(new DriveOptions(option, name, false, filtered(draft, kv, driver)));
      default -> throw new OptionException("Unknown driver '" + driver + "'");
    }
    kv.expectEmpty();
  }

  /** A format node; its file and its backing file are nodes of their own or described in it. */
  private static ImageOptions format(Draft draft, KeyValues kv, String driver) throws OptionException {
    boolean readOnly = kv.takeSwitch("read-only", false);
    kv.takeSwitch("auto-read-only", false);
    ImageOptions.Details details = key(draft, kv, "", details(kv, driver.equals("raw"), true));
    boolean direct = kv.takeSwitch("cache.direct", false);
    Optional<String> reference = kv.take("file");
    ImageOptions file;
    if (reference.isPresent()) {
      DriveOptions node = draft.fileNodes.remove(reference.get());
      if (node == null) {
        throw new OptionException("Cannot find device='' nor node-name='" + reference.get() + "'");
      }
      file = node.image();
    } else {
      inheritDirect(kv, direct, "file.");
      file = file(draft, kv, "file.", "file");
    }
    if (driver.equals("qcow2")) {
      details = kv.taking(details::withTuning);
    }
    if (driver.equals("qcow2") || driver.equals("vmdk") || driver.equals("qed")) {
      details = backing(draft, kv, details);
    }
    return new ImageOptions(file.file(), driver, readOnly || file.readOnly(), false, file.locking())
        .withDetails(details);
  }

  /** A filter node over another, which is a node of its own or described in it. */
  private static ImageOptions filtered(Draft draft, KeyValues kv, String driver) throws OptionException {
    Filter filter = switch (driver) {
      case "throttle" -> new Filter.Throttle(ThrottleArguments.named(draft, kv));
      case "copy-on-read" -> new Filter.CopyOnRead();
      case "blkdebug" -> new Filter.Blkdebug(blkdebug(kv));
      case "blkverify" -> new Filter.Blkverify(child(draft, kv, "raw"));
      default -> new Filter.Compress();
    };
    boolean readOnly = kv.takeSwitch("read-only", false);
    kv.takeSwitch("auto-read-only", false);
    kv.takeOneOf("discard", "ignore", "off", "unmap", "on");
    ImageOptions below = child(draft, kv, switch (driver) {
      case "blkdebug" -> "image";
      case "blkverify" -> "test";
      default -> "file";
    });
    return new ImageOptions(below.file(), below.format(), readOnly || below.readOnly(), below.snapshot(),
        below.locking(), below.details()).withFilter(filter);
  }

  /** A node under a filter: one by its name, or described in the filter's options. */
  private static ImageOptions child(Draft draft, KeyValues kv, String name) throws OptionException {
    Optional<String> reference = kv.take(name);
    return reference.isPresent() ? taken(draft, reference.get())
        : image(draft, KeyValues.of(kv.takeWithin(name + ".")));
  }

  /** Takes the options of {@code blkdebug}; those of other nodes stay. */
  private static BlkdebugRules blkdebug(KeyValues kv) throws OptionException {
    Map<String, String> rules = new HashMap<>();
    for (String list : List.of("inject-error.", "set-state.")) {
      kv.takeWithin(list).forEach((name, value) -> rules.put(list + name, value));
    }
    for (String name : List.of("config", "align", "max-transfer", "opt-write-zero", "max-write-zero", "opt-discard",
        "max-discard")) {
      kv.take(name).ifPresent(value -> rules.put(name, value));
    }
    try {
      BlkdebugRules read = BlkdebugRules.read(rules);
      if (!rules.isEmpty()) {
        throw new OptionException("Invalid parameter '" + rules.keySet().iterator().next() + "'");
      }
      return read;
    } catch (BlockException e) {
      throw new OptionException(e.getMessage());
    }
  }

  /** The image of a node that becomes part of another. */
  private static ImageOptions taken(Draft draft, String name) throws OptionException {
    for (DriveOptions drive : draft.drives) {
      if (drive.id().equals(name) && drive.medium().isPresent()) {
        draft.drives.remove(drive);
        return drive.image();
      }
    }
    DriveOptions node = draft.fileNodes.remove(name);
    if (node == null) {
      throw new OptionException("Cannot find device='' nor node-name='" + name + "'");
    }
    return node.image();
  }

  private static ImageOptions.Details backing(Draft draft, KeyValues kv, ImageOptions.Details details)
      throws OptionException {
    Optional<String> reference = kv.take("backing");
    if (reference.isPresent() && reference.get().isEmpty()) {
      return details.withBacking(Optional.empty());
    }
    if (reference.isPresent()) {
      ImageOptions i = taken(draft, reference.get());
      return details.withBacking(
          Optional.of(new ImageOptions(i.file(), i.format(), true, false, i.locking(), i.details())));
    }
    Optional<ImageOptions> nested = nested(draft, kv, "backing.");
    return nested.isPresent() ? details.withBacking(nested) : details;
  }

  /** An image that is described in another's description, read-only. */
  private static Optional<ImageOptions> nested(Draft draft, KeyValues kv, String prefix) throws OptionException {
    Optional<String> driver = kv.take(prefix + "driver");
    if (driver.isEmpty() && !kv.hasWithin(prefix)) {
      return Optional.empty();
    }
    boolean locking = locking(kv, prefix + "file.");
    Location file = described(draft, kv, prefix + "file.", "file");
    ImageOptions image = new ImageOptions(file, driver.orElse(""), true, false, locking);
    kv.takeOneOf(prefix + "encrypt.format", "luks", "aes");
    return Optional.of(image.withDetails(key(draft, kv, prefix, ImageOptions.Details.NONE)));
  }

  /** The key of an encrypted image. */
  private static ImageOptions.Details key(Draft draft, KeyValues kv, String prefix, ImageOptions.Details details)
      throws OptionException {
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
    if (!driver.isEmpty() && !Protocols.isDriver(driver) && !FORMATS.contains(driver) && !FILTERS.contains(driver)) {
      throw new OptionException("Unknown driver '" + driver + "'");
    }
    ImageOptions image = FILTERS.contains(driver) ? filtered(draft, kv, driver)
        : Protocols.isDriver(driver) ? file(draft, kv, "", driver) : format(draft, kv, driver);
    kv.expectEmpty();
    return image;
  }

  /** A protocol node. */
  private static ImageOptions file(Draft draft, KeyValues kv, String prefix, String driver) throws OptionException {
    boolean readOnly = kv.takeSwitch(prefix + "read-only", false);
    kv.takeSwitch(prefix + "auto-read-only", false);
    kv.takeOneOf(prefix + "discard", "ignore", "off", "unmap", "on");
    boolean locking = locking(kv, prefix);
    DriveOptions below = draft.fileNodes.get(kv.peek(prefix + "file").orElse(""));
    if (below != null) {
      readOnly |= below.image().readOnly();
      locking &= below.image().locking();
    }
    return new ImageOptions(described(draft, kv, prefix, driver), "raw", readOnly, false, locking);
  }

  /**
   * What a format node and a drive have in common.
   *
   * @param raw whether the image can be a window of its file
   * @param strict zeroes that nobody may discard cannot be unmapped; otherwise they are then written
   */
  private static ImageOptions.Details details(KeyValues kv, boolean raw, boolean strict) throws OptionException {
    String discard = kv.takeOneOf("discard", "ignore", "off", "unmap", "on").orElse("ignore");
    String zeroes = kv.takeOneOf("detect-zeroes", "off", "on", "unmap").orElse("off");
    OptionalLong offset = raw ? takeSize(kv, "offset") : OptionalLong.empty();
    OptionalLong size = raw ? takeSize(kv, "size") : OptionalLong.empty();
    kv.takeSwitch("cache.no-flush", false);
    boolean unmap = discard.equals("unmap") || discard.equals("on");
    if (strict && zeroes.equals("unmap") && !unmap) {
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
