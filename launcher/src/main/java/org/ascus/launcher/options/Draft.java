package org.ascus.launcher.options;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import org.ascus.devices.block.filter.ThrottleGroup;
import org.ascus.devices.block.format.ImageOptions;
import org.ascus.devices.block.protocol.Location;
import org.ascus.devices.board.riscv.Firmware;
import org.ascus.devices.security.TlsCredentials;
import org.ascus.machine.trace.Log;
import org.ascus.polyglot.Accelerator;
import org.ascus.polyglot.BootOptions;
import org.ascus.polyglot.DeviceCatalog;
import org.ascus.polyglot.DeviceOptions;
import org.ascus.polyglot.DriveOptions;
import org.ascus.polyglot.GlobalProperty;
import org.ascus.polyglot.HostObject;
import org.ascus.polyglot.LifeOptions;
import org.ascus.polyglot.MachineOptions;
import org.ascus.polyglot.NetdevOptions;
import org.ascus.polyglot.VmException;

/** What the options seen so far say; later ones win. */
final class Draft {
  Optional<String> answer = Optional.empty();

  Optional<String> machine = Optional.empty();
  Optional<Path> dumpDtb = Optional.empty();
  String cpu = MachineOptions.DEFAULT.cpu();
  int smp = 1;
  long ramSize = MachineOptions.DEFAULT_RAM;
  boolean ramSizeGiven;
  Optional<String> memoryBackend = Optional.empty();
  boolean aclint;
  Accelerator accelerator = Accelerator.TRUFFLE;
  boolean oneThread;
  Optional<Path> profile = Optional.of(UserCache.file("riscv64.profile"));
  OptionalInt icountShift = OptionalInt.empty();

  Optional<Firmware> firmware = Optional.empty();
  Optional<Path> kernel = Optional.empty();
  Optional<Path> initrd = Optional.empty();
  Optional<Path> dtb = Optional.empty();
  String append = "";
  final Map<Integer, Path> pflash = new TreeMap<>();
  final Map<Integer, String> pflashNodes = new TreeMap<>();

  final List<DriveOptions> drives = new ArrayList<>();
  final Set<String> drivePlaces = new HashSet<>();
  /** Drives of which nobody said where they go, and which a {@code -device} can have. */
  final Set<String> freeDrives = new HashSet<>();
  final Map<String, DriveOptions> fileNodes = new LinkedHashMap<>();
  boolean snapshot;
  final List<DeviceOptions> devices = new ArrayList<>();
  final List<NetdevOptions> netdevs = new ArrayList<>();
  final List<DeviceOptions> hubCards = new ArrayList<>();
  final List<NetdevOptions> hubNetworks = new ArrayList<>();
  final List<HostObject> objects = new ArrayList<>();
  final List<GlobalProperty> globals = new ArrayList<>();
  final SecurityArguments security = new SecurityArguments();
  final Map<String, ThrottleGroup> throttleGroups = new LinkedHashMap<>();
  private Optional<DeviceCatalog> catalog = Optional.empty();

  final List<CharOptions> serials = new ArrayList<>();
  private final List<Asked> monitors = new ArrayList<>();
  final Map<String, ChardevOptions> chardevs = new LinkedHashMap<>();
  boolean nographic;
  boolean displayNone;
  boolean nodefaults;

  boolean paused;
  boolean noReboot;
  boolean noShutdown;
  final Set<Log.Category> log = EnumSet.noneOf(Log.Category.class);
  Optional<Path> logFile = Optional.empty();
  boolean hostErrors;
  String name = "";

  /** Ends parsing: print {@code text} and be done. */
  void answer(String text) {
    answer = Optional.of(text);
  }

  /** Loaded when the first option needs it. */
  DeviceCatalog catalog() {
    if (catalog.isEmpty()) {
      catalog = Optional.of(new DeviceCatalog());
    }
    return catalog.get();
  }

  /** Checks what takes several options to check. */
  LaunchOptions finish() throws OptionException {
    if (machine.isEmpty()) {
      throw new OptionException("No machine specified, and there is no default (use -machine help to list machines)");
    }
    checkFile("-kernel", kernel);
    checkFile("-initrd", initrd);
    checkFile("-dtb", dtb);
    if (firmware.isPresent() && firmware.get() instanceof Firmware.File(Path path)) {
      checkFile("-bios", Optional.of(path));
    }
    if (kernel.isEmpty() && initrd.isPresent()) {
      throw new OptionException("-initrd " + initrd.get() + ": only allowed with -kernel");
    }
    if (kernel.isEmpty() && !append.isEmpty()) {
      throw new OptionException("-append " + append + ": only allowed with -kernel");
    }
    List<DriveOptions> images = images();
    NetArguments.joinHub(this);
    checkDevices();
    if (memoryBackend.isPresent()) {
      ramSize = ObjectArguments.ramSize(this, memoryBackend.get());
    }
    BootOptions boot = new BootOptions(firmware, kernel, initrd, append, dtb, flash(images));
    MachineOptions options =
        new MachineOptions(
            cpu,
            smp,
            ramSize,
            aclint,
            boot,
            images,
            devices,
            netdevs,
            objects,
            globals,
            accelerator,
            oneThread,
            profile,
            icountShift,
            new LifeOptions(paused, noReboot, noShutdown));
    Channels channels = channels();
    return new LaunchOptions(
        options,
        channels.serials(),
        channels.monitors(),
        chardevs,
        security.made(),
        dumpDtb,
        log,
        logFile,
        hostErrors,
        name);
  }

  private static void checkFile(String option, Optional<Path> file) throws OptionException {
    if (file.isEmpty()) {
      return;
    }
    Path path = file.get();
    if (!Files.exists(path)) {
      throw new OptionException(option + " " + path + ": No such file or directory");
    }
    if (Files.isDirectory(path)) {
      throw new OptionException(option + " " + path + ": Is a directory");
    }
    if (!Files.isReadable(path)) {
      throw new OptionException(option + " " + path + ": Permission denied");
    }
  }

  private List<DriveOptions> images() {
    List<DriveOptions> all = new ArrayList<>();
    for (DriveOptions drive : drives) {
      all.add(isTaken(drive.id()) ? drive.withoutPlace() : drive);
    }
    all.addAll(fileNodes.values());
    if (!snapshot) {
      return all;
    }
    return all.stream().map(DriveOptions::withSnapshot).toList();
  }

  /** Whether a device names a drive that would otherwise be on the machine's own bus. */
  private boolean isTaken(String drive) {
    return freeDrives.contains(drive)
        && devices.stream().anyMatch(d -> drive.equals(d.properties().get("drive")));
  }

  private void checkDevices() throws OptionException {
    try {
      for (GlobalProperty global : globals) {
        catalog().check(global);
      }
      for (DeviceOptions device : devices) {
        catalog().values(device, globals);
      }
    } catch (VmException e) {
      throw new OptionException(e.getMessage());
    }
  }

  private List<Optional<Path>> flash(List<DriveOptions> images) throws OptionException {
    for (Map.Entry<Integer, String> node : pflashNodes.entrySet()) {
      Optional<DriveOptions> image = images.stream().filter(d -> d.id().equals(node.getValue())).findFirst();
      if (image.isEmpty()) {
        throw new OptionException(
            "-machine pflash" + node.getKey() + "=" + node.getValue() + ": can't find node '" + node.getValue() + "'");
      }
      if (!(image.get().medium().map(ImageOptions::file).orElse(null) instanceof Location.File file)) {
        throw new OptionException("-machine pflash" + node.getKey() + "=" + node.getValue() + ": not a host file");
      }
      pflash.put(node.getKey(), file.path());
      images.remove(image.get());
    }
    List<Optional<Path>> banks = new ArrayList<>();
    for (Map.Entry<Integer, Path> bank : pflash.entrySet()) {
      checkFile("-pflash", Optional.of(bank.getValue()));
      while (banks.size() < bank.getKey()) {
        banks.add(Optional.empty());
      }
      banks.add(Optional.of(bank.getValue()));
    }
    return banks;
  }

  /** Where a monitor is to be, which may be nowhere, and what asked for it. */
  private record Asked(String option, CharOptions channel) {}

  void addMonitor(String option, CharOptions channel) {
    monitors.add(new Asked(option, channel));
  }

  private record Channels(List<CharOptions> serials, List<CharOptions> monitors) {}

  /** Without a display the terminal is the console; so it is when nothing is said, since there is no window. */
  private Channels channels() throws OptionException {
    List<CharOptions> ports = new ArrayList<>(serials);
    List<CharOptions> mons = new ArrayList<>(monitors.stream().map(Asked::channel).toList());
    if (!nodefaults && (nographic || !displayNone)) {
      boolean stdioTaken =
          chardevs.values().stream().anyMatch(c -> c.kind() instanceof CharOptions.Stdio)
              || mons.stream().anyMatch(c -> c instanceof CharOptions.Stdio)
              || ports.stream().anyMatch(c -> c instanceof CharOptions.Stdio);
      if (ports.isEmpty() && mons.isEmpty() && !stdioTaken) {
        ports.add(shared("-serial mon:stdio", "stdio", new CharOptions.Stdio(false)));
        mons.add(ports.getFirst());
      } else if (ports.isEmpty() && !stdioTaken) {
        ports.add(new CharOptions.Stdio(true));
      } else if (mons.isEmpty() && !stdioTaken) {
        mons.add(new CharOptions.Stdio(true));
      }
    }
    mons.removeIf(c -> c instanceof CharOptions.None);
    checkChannels(ports, mons);
    return new Channels(ports, mons);
  }

  /** A channel that a serial port and the monitor share, under a name that no user can give. */
  CharOptions shared(String option, String name, CharOptions kind) {
    String id = "<" + name + ">";
    chardevs.put(id, new ChardevOptions(option, id, kind, true));
    return new CharOptions.Reference(id);
  }

  /** A channel for one user, which may have the same name as none of {@code -chardev}. */
  CharOptions own(String option, String id, CharOptions kind) throws OptionException {
    boolean plain =
        switch (kind) {
          case CharOptions.None _, CharOptions.Null _, CharOptions.Stdio _, CharOptions.Reference _ -> true;
          default -> false;
        };
    if (plain) {
      return kind;
    }
    add(new ChardevOptions(option, id, kind, false));
    return new CharOptions.Reference(id);
  }

  void add(ChardevOptions chardev) throws OptionException {
    if (chardevs.putIfAbsent(chardev.id(), chardev) != null) {
      throw new OptionException("Duplicate ID '" + chardev.id() + "' for chardev");
    }
  }

  private void checkChannels(List<CharOptions> ports, List<CharOptions> mons) throws OptionException {
    List<CharOptions> users = new ArrayList<>(ports);
    users.addAll(mons);
    int stdio = 0;
    for (CharOptions user : users) {
      if (user instanceof CharOptions.Stdio) {
        stdio++;
      }
    }
    for (ChardevOptions chardev : chardevs.values()) {
      if (chardev.kind() instanceof CharOptions.Stdio) {
        stdio++;
      }
      if (chardev.kind() instanceof CharOptions.Socket socket) {
        checkSecurity(chardev.option() + ": ", socket);
      }
      long uses = users.stream().filter(u -> u.refersTo(chardev.id())).count();
      if (uses > 1 && !chardev.mux()) {
        throw new OptionException("-chardev " + chardev.id() + ": in use more than once without mux=on");
      }
    }
    if (stdio > 1) {
      throw new OptionException("cannot use stdio by multiple character devices (mon:stdio shares it)");
    }
    users.addAll(chardevs.values().stream().map(ChardevOptions::kind).toList());
    for (CharOptions user : users) {
      if (user instanceof CharOptions.Reference(String id) && !chardevs.containsKey(id)) {
        throw new OptionException(asker(user, id) + ": chardev '" + id + "' not found");
      }
    }
  }

  private String asker(CharOptions user, String id) {
    return monitors.stream()
        .filter(m -> m.channel() == user)
        .findFirst()
        .map(Asked::option)
        .orElse("-serial chardev:" + id);
  }

  private void checkSecurity(String option, CharOptions.Socket socket) throws OptionException {
    SecurityObjects objects = security.made();
    TlsCredentials tls = objects.credentials().get(socket.tlsCredentials());
    if (!socket.tlsCredentials().isEmpty() && tls == null) {
      throw new OptionException(option + "No TLS credentials with id '" + socket.tlsCredentials() + "'");
    }
    if (tls != null && tls.isServer() != socket.server()) {
      String side = socket.server() ? "server" : "client";
      throw new OptionException(option + "Expected TLS credentials for a " + side + " endpoint");
    }
    if (!socket.authorization().isEmpty() && !objects.authorizations().containsKey(socket.authorization())) {
      throw new OptionException(option + "No authorization object with id '" + socket.authorization() + "'");
    }
  }
}
