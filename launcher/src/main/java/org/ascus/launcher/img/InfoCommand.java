package org.ascus.launcher.img;

import java.io.PrintStream;
import java.nio.file.Path;
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
import org.ascus.devices.block.format.ImageOptions;
import org.ascus.devices.block.format.foreign.VmdkImage;
import org.ascus.devices.block.format.qcow2.Snapshots;
import org.ascus.devices.block.protocol.HostFile;
import org.ascus.devices.block.protocol.Location;

/** {@code ascus-img info}. */
final class InfoCommand {
  private InfoCommand() {}

  static int run(List<String> words, PrintStream out) throws ImgException, BlockException {
    Words w = new Words("info", words, "f:", "U", "output=", "backing-chain", "image-opts", "force-share");
    boolean json = w.json();
    String name = w.files(1, "Expecting one image file name").getFirst();
    Images images = new Images(w);
    Optional<String> format = w.get("f");
    ImageOptions options = images.outside(name, format);
    List<Object> all = new ArrayList<>();
    Optional<String> word = Optional.of(name);
    while (true) {
      options = options.withDetails(options.details().withBacking(Optional.empty()));
      ImageFacts facts;
      try (BlockNode node = options.open()) {
        facts = ImageFacts.of(node, options.format());
        String shown = word.isPresent() ? images.shown(word.get(), options, facts.format()) : options.file().name();
        all.add(json ? describe(shown, options.file(), facts, node) : text(shown, options.file(), facts, node));
      }
      if (!w.has("backing-chain") || facts.backing().isEmpty() || all.size() > 200) {
        break;
      }
      word = Optional.empty();
      String below = ImageOptions.neighbour(options.file().name(), facts.backing());
      options = ImageOptions.named(below, facts.backingFormat(), true, false,
          options.locking()).withDetails(ImageOptions.Details.NONE.withKey(ImageKey.NOT_NEEDED));
    }
    if (json) {
      out.println(Json.text(w.has("backing-chain") ? all : all.getFirst()));
    } else {
      out.print(String.join("\n", all.stream().map(Object::toString).toList()));
    }
    return 0;
  }

  /** Bytes on the host's disk, where that can be told. */
  private static OptionalLong diskSize(Location file, BlockNode node) {
    if (!(file instanceof Location.File f)) {
      return OptionalLong.empty();
    }
    long bytes = HostFile.allocatedBytes(f.path()).orElse(node.size());
    if (node instanceof VmdkImage image) {
      for (VmdkImage.Part part : image.parts()) {
        bytes += part.file().equals(file.name()) ? 0 : HostFile.allocatedBytes(Path.of(part.file())).orElse(0);
      }
    }
    return OptionalLong.of(bytes);
  }

  private static Map<String, Object> describe(String shown, Location file, ImageFacts facts, BlockNode node)
      throws BlockException {
    Map<String, Object> all = new LinkedHashMap<>();
    List<Object> snapshots = new ArrayList<>();
    for (Snapshots.Snapshot s : facts.snapshots()) {
      Map<String, Object> one = new LinkedHashMap<>();
      s.instructions().ifPresent(count -> one.put("icount", count));
      one.put("vm-clock-nsec", s.guestNanos() % 1_000_000_000);
      one.put("name", s.name());
      one.put("date-sec", s.dateSeconds());
      one.put("date-nsec", s.dateNanos());
      one.put("vm-clock-sec", s.guestNanos() / 1_000_000_000);
      one.put("id", s.id());
      one.put("vm-state-size", s.stateBytes());
      snapshots.add(one);
    }
    if (!facts.backing().isEmpty() && !facts.backingFormat().isEmpty()) {
      all.put("backing-filename-format", facts.backingFormat());
    }
    if (!snapshots.isEmpty()) {
      all.put("snapshots", snapshots);
    }
    all.put("virtual-size", node.size());
    all.put("filename", shown);
    if (facts.clusterSize() > 0) {
      all.put("cluster-size", facts.clusterSize());
    }
    all.put("format", facts.format());
    diskSize(file, node).ifPresent(bytes -> all.put("actual-size", bytes));
    if (!facts.specific().isEmpty()) {
      Map<String, Object> both = new LinkedHashMap<>();
      both.put("type", facts.format());
      both.put("data", facts.specific());
      all.put("format-specific", both);
    }
    if (!facts.backing().isEmpty()) {
      all.put("full-backing-filename", ImageOptions.neighbour(file.name(), facts.backing()));
      all.put("backing-filename", facts.backing());
    }
    if (facts.encrypted()) {
      all.put("encrypted", true);
    }
    // qemu-img's driver for it does not tell.
    if (!facts.format().equals("parallels")) {
      all.put("dirty-flag", facts.dirty());
    }
    return all;
  }

  private static String human(OptionalLong bytes) {
    return bytes.isPresent() ? Sizes.human(bytes.getAsLong()) : "unavailable";
  }

  /** @param shown what to call the image */
  static String text(String shown, Location file, ImageFacts facts, BlockNode node) throws BlockException {
    StringBuilder text = new StringBuilder();
    text.append("image: ").append(shown).append("\nfile format: ").append(facts.format());
    text.append("\nvirtual size: ").append(Sizes.human(node.size())).append(" (").append(node.size());
    text.append(" bytes)\ndisk size: ").append(human(diskSize(file, node))).append("\n");
    text.append(facts.encrypted() ? "encrypted: yes\n" : "");
    text.append(facts.dirty() ? "cleanly shut down: no\n" : "");
    text.append(facts.clusterSize() > 0 ? "cluster_size: " + facts.clusterSize() + "\n" : "");
    if (!facts.backing().isEmpty()) {
      String full = ImageOptions.neighbour(file.name(), facts.backing());
      text.append("backing file: ").append(facts.backing());
      text.append(full.equals(facts.backing()) ? "" : " (actual path: " + full + ")").append("\n");
      text.append(facts.backingFormat().isEmpty() ? "" : "backing file format: " + facts.backingFormat() + "\n");
    }
    text.append(snapshots(facts.snapshots()));
    if (!facts.specific().isEmpty()) {
      text.append("Format specific information:\n");
      append(text, "    ", facts.specific());
    }
    return text.toString();
  }

  /** Lines of {@code name: value}; maps and lists are indented by four more. */
  private static void append(StringBuilder text, String indent, Map<?, ?> data) {
    Json.members(data).forEach((k, v) -> append(text, indent, k.replace('-', ' '), v));
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
      String count = s.instructions().isPresent() ? Long.toString(s.instructions().getAsLong()) : "";
      text.append(String.format(line, s.id(), s.name(), Sizes.human(s.stateBytes()), date, clock, count));
    }
    return text.toString();
  }
}
