package org.ascus.launcher.img;

import java.io.PrintStream;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.crypto.ImageKey;
import org.ascus.devices.block.crypto.LuksNode;
import org.ascus.devices.block.format.ImageOptions;
import org.ascus.devices.block.format.qcow2.Qcow2Node;
import org.ascus.devices.block.format.qcow2.Snapshots;
import org.ascus.devices.block.protocol.Location;
import org.ascus.devices.block.protocol.SparseFile;

/** {@code ascus-img info}. */
final class InfoCommand {
  private InfoCommand() {}

  private record Next(String file, String format) {}

  static int run(List<String> words, PrintStream out) throws ImgException, BlockException {
    Words w = new Words("info", words, "f:", "U", "output=", "backing-chain", "image-opts", "force-share");
    boolean json = w.json();
    String name = w.files(1, "Expecting one image file name").getFirst();
    Images images = new Images(w);
    Optional<String> format = w.get("f");
    ImageOptions options = images.outside(name, format);
    List<Object> all = new ArrayList<>();
    while (true) {
      options = options.withDetails(options.details().withBacking(Optional.empty()));
      Next next;
      try (BlockNode node = options.open()) {
        String kind = kind(options, node);
        all.add(json ? describe(options.file(), kind, node) : text(options.file(), kind, node));
        next = node instanceof Qcow2Node q ? new Next(q.info().backingFile(), q.info().backingFormat())
            : new Next("", "");
      }
      if (!w.has("backing-chain") || next.file().isEmpty() || all.size() > 200) {
        break;
      }
      String below = ImageOptions.neighbour(options.file().name(), next.file());
      options = ImageOptions.named(below, next.format(), true, false,
          options.locking()).withDetails(ImageOptions.Details.NONE.withKey(ImageKey.NOT_NEEDED));
    }
    if (json) {
      out.println(Json.text(w.has("backing-chain") ? all : all.getFirst()));
    } else {
      out.print(String.join("\n", all.stream().map(Object::toString).toList()));
    }
    return 0;
  }

  private static String kind(ImageOptions options, BlockNode node) {
    if (!options.format().isEmpty()) {
      return options.format();
    }
    return node instanceof Qcow2Node ? "qcow2" : node instanceof LuksNode ? "luks" : "raw";
  }

  /** Bytes on the host's disk, where that can be told. */
  private static OptionalLong diskSize(Location file, BlockNode node) {
    return file instanceof Location.File f ? OptionalLong.of(SparseFile.allocatedBytes(f.path(), node.size()))
        : OptionalLong.empty();
  }

  private static Map<String, Object> describe(Location file, String format, BlockNode node) throws BlockException {
    Map<String, Object> all = new LinkedHashMap<>();
    if (node instanceof Qcow2Node q) {
      List<Object> snapshots = new ArrayList<>();
      for (Snapshots.Snapshot s : q.snapshots().list()) {
        Map<String, Object> one = new LinkedHashMap<>();
        one.put("vm-clock-nsec", s.guestNanos() % 1_000_000_000);
        one.put("name", s.name());
        one.put("date-sec", s.dateSeconds());
        one.put("date-nsec", s.dateNanos());
        one.put("vm-clock-sec", s.guestNanos() / 1_000_000_000);
        one.put("id", s.id());
        one.put("vm-state-size", s.stateBytes());
        snapshots.add(one);
      }
      if (!q.info().backingFile().isEmpty()) {
        all.put("backing-filename-format", q.info().backingFormat());
      }
      if (!snapshots.isEmpty()) {
        all.put("snapshots", snapshots);
      }
    }
    all.put("virtual-size", node.size());
    all.put("filename", file.name());
    if (node instanceof Qcow2Node q) {
      all.put("cluster-size", q.clusterSize());
    }
    all.put("format", format);
    diskSize(file, node).ifPresent(bytes -> all.put("actual-size", bytes));
    boolean dirty = false;
    if (node instanceof LuksNode luks) {
      all.put("format-specific", LuksInfo.of(luks.volume().header()).wrapped());
      all.put("encrypted", true);
    }
    if (node instanceof Qcow2Node q) {
      all.put("format-specific", specific(q));
      if (!q.info().backingFile().isEmpty()) {
        all.put("full-backing-filename", ImageOptions.neighbour(file.name(), q.info().backingFile()));
        all.put("backing-filename", q.info().backingFile());
      }
      if (q.encrypted()) {
        all.put("encrypted", true);
      }
      dirty = q.info().dirty();
    }
    all.put("dirty-flag", dirty);
    return all;
  }

  private static Map<String, Object> specific(Qcow2Node node) {
    Map<String, Object> both = new LinkedHashMap<>();
    both.put("type", "qcow2");
    Map<String, Object> data = new LinkedHashMap<>();
    Qcow2Node.Info info = node.info();
    data.put("compat", info.version() == 2 ? "0.10" : "1.1");
    data.put("compression-type", info.zstd() ? "zstd" : "zlib");
    if (info.version() > 2) {
      data.put("lazy-refcounts", info.lazyRefcounts());
    }
    data.put("refcount-bits", info.refcountBits());
    if (!info.dataFile().isEmpty()) {
      data.put("data-file", info.dataFile());
      data.put("data-file-raw", info.rawData());
    }
    if (node.encrypted()) {
      data.put("encrypt", LuksInfo.inQcow2(node));
    }
    if (info.version() > 2) {
      data.put("corrupt", info.corrupt());
      data.put("extended-l2", info.extendedL2());
    }
    both.put("data", data);
    return both;
  }

  private static String human(OptionalLong bytes) {
    return bytes.isPresent() ? Sizes.human(bytes.getAsLong()) : "unavailable";
  }

  private static String text(Location file, String format, BlockNode node) throws BlockException {
    StringBuilder text = new StringBuilder();
    text.append("image: ").append(file.name()).append("\nfile format: ").append(format);
    text.append("\nvirtual size: ").append(Sizes.human(node.size())).append(" (").append(node.size());
    text.append(" bytes)\ndisk size: ").append(human(diskSize(file, node))).append("\n");
    if (node instanceof LuksNode luks) {
      text.append("encrypted: yes\nFormat specific information:\n");
      append(text, "    ", LuksInfo.of(luks.volume().header()).data());
    }
    if (node instanceof Qcow2Node q) {
      Qcow2Node.Info info = q.info();
      text.append(q.encrypted() ? "encrypted: yes\n" : "");
      text.append(info.dirty() ? "cleanly shut down: no\n" : "");
      text.append("cluster_size: ").append(q.clusterSize()).append("\n");
      if (!info.backingFile().isEmpty()) {
        String full = ImageOptions.neighbour(file.name(), info.backingFile());
        text.append("backing file: ").append(info.backingFile());
        text.append(full.equals(info.backingFile()) ? "" : " (actual path: " + full + ")").append("\n");
        text.append(info.backingFormat().isEmpty() ? "" : "backing file format: " + info.backingFormat() + "\n");
      }
      text.append(snapshots(q.snapshots().list()));
      text.append("Format specific information:\n");
      append(text, "    ", (Map<?, ?>) specific(q).get("data"));
    }
    return text.toString();
  }

  /** Lines of {@code name: value}; maps and lists are indented by four more. */
  private static void append(StringBuilder text, String indent, Map<?, ?> data) {
    data.forEach((k, v) -> append(text, indent, k.toString().replace('-', ' '), v));
  }

  private static void append(StringBuilder text, String indent, String name, Object value) {
    text.append(indent).append(name).append(":");
    if (value instanceof Map<?, ?> map) {
      text.append("\n");
      append(text, indent + "    ", map);
    } else if (value instanceof List<?> list) {
      text.append("\n");
      for (int i = 0; i < list.size(); i++) {
        append(text, indent + "    ", "[" + i + "]", list.get(i));
      }
    } else {
      text.append(" ").append(value).append("\n");
    }
  }

  /** The table of snapshots, or nothing if there are none. */
  static String snapshots(List<Snapshots.Snapshot> all) {
    if (all.isEmpty()) {
      return "";
    }
    StringBuilder text = new StringBuilder("Snapshot list:\n");
    String line = "%-10s%-17s%8s%20s%13s%11s\n";
    text.append(String.format(line, "ID", "TAG", "VM SIZE", "DATE", "VM CLOCK", "ICOUNT").replaceAll(" +\n", "\n"));
    for (Snapshots.Snapshot s : all) {
      String date = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss", Locale.ROOT)
          .format(Instant.ofEpochSecond(s.dateSeconds()).atZone(ZoneId.systemDefault()));
      long millis = s.guestNanos() / 1_000_000;
      String clock = String.format("%02d:%02d:%02d.%03d", millis / 3_600_000, millis / 60_000 % 60,
          millis / 1000 % 60, millis % 1000);
      text.append(String.format(line, s.id(), s.name(), Sizes.human(s.stateBytes()), date, clock, ""));
    }
    return text.toString();
  }
}
