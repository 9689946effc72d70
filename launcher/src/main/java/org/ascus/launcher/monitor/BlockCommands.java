package org.ascus.launcher.monitor;

import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.Drive;
import org.ascus.devices.block.filter.Filter;
import org.ascus.devices.block.filter.ThrottleGroup;
import org.ascus.devices.block.format.ImageOptions;
import org.ascus.devices.block.protocol.Location;
import org.ascus.launcher.img.ImageReport;
import org.ascus.launcher.options.KeyValues;
import org.ascus.launcher.options.OptionException;
import org.ascus.polyglot.BlockExports;
import org.ascus.polyglot.Vm;
import org.ascus.polyglot.VmException;

/** Commands about disks. */
final class BlockCommands {
  private final Vm vm;

  BlockCommands(Vm vm) {
    this.vm = vm;
  }

  /** {@code info block [-v] [DEVICE]}. */
  String show(List<String> arguments) throws VmException {
    List<String> words = new ArrayList<>(arguments);
    boolean details = words.remove("-v");
    words(words, 0, 1, "info block takes the id of at most one drive");
    List<String> all = new ArrayList<>();
    for (Map.Entry<String, Drive> e : vm.drives().entrySet()) {
      if (words.isEmpty() || words.getFirst().equals(e.getKey())) {
        all.add(show(e.getKey(), e.getValue()) + (details ? images(e.getValue()) : ""));
      }
    }
    return vm.drives().isEmpty() ? "no block devices\n" : String.join("\n", all);
  }

  private static List<BlockNode> chain(Drive drive) {
    return drive.medium().map(ImageReport::chain).orElse(List.of());
  }

  private static String images(Drive drive) throws VmException {
    StringBuilder text = new StringBuilder();
    try {
      for (BlockNode image : chain(drive)) {
        text.append(text.isEmpty() ? "\nImages:\n" : "").append(ImageReport.of(image));
      }
    } catch (BlockException e) {
      throw new VmException(e.getMessage(), e);
    }
    return text.toString();
  }

  private String show(String id, Drive drive) {
    StringBuilder text = new StringBuilder(id).append(": ");
    if (drive.medium().isEmpty()) {
      text.append("[not inserted]\n");
    } else {
      String readOnly = drive.readOnly() ? ", read-only" : "";
      text.append(String.format("%s (%s%s)%n", drive.name(), drive.format(), readOnly));
    }
    Optional<Drive.User> user = drive.user();
    user.ifPresent(u -> text.append(String.format("    Attached to:      %s%n", u.id())));
    if (user.isEmpty() || user.get().removable()) {
      boolean locked = user.isPresent() && user.get().locked();
      boolean open = user.isPresent() && user.get().trayOpen();
      text.append(String.format("    Removable device: %slocked, tray %s%n", locked ? "" : "not ",
          open ? "open" : "closed"));
    }
    if (drive.medium().isPresent()) {
      text.append(String.format("    Cache mode:       %s%n", cacheMode(id, drive)));
    }
    List<BlockNode> chain = chain(drive);
    if (chain.size() > 1) {
      text.append(String.format(
          "    Backing file:     %s (chain depth: %d)%n", chain.get(1).name(), chain.size() - 1));
    }
    throttling(id).ifPresent(group -> text.append("    I/O throttling:   ").append(group.limits().describe())
        .append(" group=").append(group.name().isEmpty() ? id : group.name()).append('\n'));
    return text.toString();
  }

  private Optional<ThrottleGroup> throttling(String id) {
    return vm.options().drives().stream()
        .filter(d -> d.id().equals(id))
        .flatMap(d -> d.medium().stream())
        .flatMap(image -> image.details().filters().stream())
        .filter(Filter.Throttle.class::isInstance)
        .map(filter -> ((Filter.Throttle) filter).group())
        .filter(group -> !group.limits().limits().isEmpty())
        .findFirst();
  }

  private String cacheMode(String id, Drive drive) {
    String mode = drive.writeThrough() ? "writethrough" : "writeback";
    return vm.options().drives().stream()
        .filter(d -> d.id().equals(id))
        .flatMap(d -> d.medium().stream())
        .filter(image -> image.file() instanceof Location.File)
        .map(image -> (Location.File) image.file())
        .map(f -> mode + (f.direct() ? ", direct" : "") + (f.durable() ? "" : ", ignore flushes"))
        .findAny()
        .orElse(mode);
  }

  /** {@code commit DEVICE|all}. */
  String commit(List<String> arguments) throws VmException {
    vm.commit(words(arguments, 1, 1, "commit takes the id of a disk, or all").getFirst());
    return "";
  }

  /** {@code eject [-f] DEVICE}. */
  String eject(List<String> arguments) throws VmException {
    List<String> words = new ArrayList<>(arguments);
    boolean force = words.remove("-f");
    vm.eject(words(words, 1, 1, "eject takes the id of a drive").getFirst(), force);
    return "";
  }

  /** {@code change DEVICE FILE [FORMAT]}. */
  String change(List<String> arguments) throws VmException {
    List<String> words = words(arguments, 2, 3, "change takes the id of a drive, a file name and perhaps a format");
    try {
      String format = words.size() > 2 ? words.get(2) : "";
      vm.change(words.getFirst(), ImageOptions.named(words.get(1), format, true, false, true));
    } catch (BlockException e) {
      throw new VmException(e.getMessage(), e);
    }
    return "";
  }

  /** {@code block_resize DEVICE SIZE}; the size is in MiB if it has no suffix. */
  String resize(List<String> arguments) throws VmException {
    List<String> words = words(arguments, 2, 2, "block_resize takes the id of a disk and a size");
    try {
      vm.resize(words.getFirst(), KeyValues.size("size", words.get(1), 1 << 20));
    } catch (OptionException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
    return "";
  }

  /** {@code nbd_server_start [-a] [-w] HOST:PORT}. */
  String startServer(List<String> arguments) throws VmException {
    List<String> words = new ArrayList<>(arguments);
    boolean all = words.remove("-a");
    boolean writable = words.remove("-w");
    if (writable && !all) {
      throw new IllegalArgumentException("-w only valid together with -a");
    }
    BlockExports exports = vm.exports();
    exports.start(address(words(words, 1, 1, "nbd_server_start takes host:port or unix:path").getFirst()));
    if (all) {
      for (Map.Entry<String, Drive> e : vm.drives().entrySet()) {
        if (e.getValue().medium().isPresent()) {
          exports.add(e.getKey(), e.getKey(), writable && !e.getValue().readOnly());
        }
      }
    }
    return "";
  }

  private static SocketAddress address(String text) {
    try {
      if (text.startsWith("unix:")) {
        return UnixDomainSocketAddress.of(Path.of(text.substring("unix:".length())).toAbsolutePath());
      }
    } catch (InvalidPathException e) {
      throw new IllegalArgumentException("'" + text + "' is no path", e);
    }
    int colon = text.lastIndexOf(':');
    String port = text.substring(colon + 1);
    if (colon < 0 || !port.matches("[0-9]{1,5}") || Integer.parseInt(port) > 65535) {
      throw new IllegalArgumentException("address '" + text + "' is not host:port");
    }
    String host = text.substring(0, colon).replaceAll("^\\[(.*)]$", "$1");
    return host.isEmpty() ? new InetSocketAddress(Integer.parseInt(port))
        : new InetSocketAddress(host, Integer.parseInt(port));
  }

  /** {@code nbd_server_add [-w] DEVICE [NAME]}. */
  String export(List<String> arguments) throws VmException {
    List<String> words = new ArrayList<>(arguments);
    boolean writable = words.remove("-w");
    words(words, 1, 2, "nbd_server_add takes the id of a disk and perhaps the name of the export");
    vm.exports().add(words.getFirst(), words.getLast(), writable);
    return "";
  }

  /** {@code nbd_server_remove NAME}; those who use the export go on. */
  String unexport(List<String> arguments) throws VmException {
    vm.exports().remove(words(arguments, 1, 1, "nbd_server_remove takes the name of an export").getFirst());
    return "";
  }

  /** {@code nbd_server_stop}. */
  String stopServer(List<String> arguments) throws VmException {
    vm.exports().stop();
    return "";
  }

  private static List<String> words(List<String> words, int least, int most, String complaint) {
    Optional<String> option = words.stream().filter(w -> w.startsWith("-")).findFirst();
    if (option.isPresent() || words.size() < least || words.size() > most) {
      throw new IllegalArgumentException(option.isPresent() ? "unsupported option " + option.get() : complaint);
    }
    return words;
  }
}
