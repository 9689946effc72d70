package org.ascus.launcher.options;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.ascus.devices.net.NetFilter.Direction;
import org.ascus.polyglot.HostObject;
import org.ascus.polyglot.HostObject.FilterKind;

/** The {@code filter-...} kinds of {@code -object}: what is put on a network's cable. */
final class FilterArguments {
  private static final String COMMON =
      """
        netdev=<string>        - ID of the -netdev whose frames they are
        queue=<string>         - all, rx or tx: those that the -netdev receives or sends (default: all)
        status=<string>        - on or off (default: on)
      """;

  private static final String HEADERS =
      "  vnet_hdr_support=<bool> - Tell the length of a virtio header with each frame (default: off)\n";

  private static final String DUMP =
      """
        file=<string>          - Where frames are written to, for tcpdump and wireshark
        maxlen=<uint32>        - Most bytes of a frame (default: 65536)
      """;

  /** Kinds, each with what it has to say for itself. */
  static final Map<String, String> KINDS = kinds();

  private FilterArguments() {}

  private static Map<String, String> kinds() {
    Map<String, String> kinds = new LinkedHashMap<>();
    kinds.put("filter-buffer", "  interval=<uint32>      - Microseconds between releases of frames\n" + COMMON);
    kinds.put("filter-dump", DUMP + COMMON);
    kinds.put("filter-mirror", "  outdev=<string>        - ID of the chardev that gets copies\n" + HEADERS + COMMON);
    kinds.put(
        "filter-redirector",
        "  indev=<string>         - ID of a chardev whose frames go on\n"
            + "  outdev=<string>        - ID of the chardev that gets frames instead\n" + HEADERS + COMMON);
    return Map.copyOf(kinds);
  }

  static HostObject parse(String option, String kind, String id, KeyValues kv) throws OptionException {
    String netdev = kv.require("netdev");
    Direction direction =
        switch (kv.takeOneOf("queue", "all", "rx", "tx").orElse("all")) {
          // The filter's queues are named after the back end's side of the cable.
          case "rx" -> Direction.TX;
          case "tx" -> Direction.RX;
          default -> Direction.ALL;
        };
    boolean on = !kv.takeOneOf("status", "on", "off").orElse("on").equals("off");
    FilterKind what =
        switch (kind) {
          case "filter-dump" ->
              new FilterKind.Dump(
                  Path.of(kv.require("file")), (int) kv.takeNumber("maxlen", 1, Integer.MAX_VALUE).orElse(65536));
          case "filter-mirror" -> new FilterKind.Mirror(kv.require("outdev"), headers(kv));
          case "filter-redirector" -> redirector(kv);
          default -> buffer(kv);
        };
    return new HostObject.Filter(option, id, netdev, direction, on, what);
  }

  private static boolean headers(KeyValues kv) throws OptionException {
    return kv.takeSwitch("vnet_hdr_support", false);
  }

  private static FilterKind redirector(KeyValues kv) throws OptionException {
    Optional<String> in = kv.take("indev");
    Optional<String> out = kv.take("outdev");
    if (in.isEmpty() && out.isEmpty()) {
      throw new OptionException("filter redirector needs 'indev' or 'outdev' at least one property set");
    }
    if (in.equals(out)) {
      throw new OptionException("'indev' and 'outdev' could not be same for filter redirector");
    }
    return new FilterKind.Redirector(in, out, headers(kv));
  }

  private static FilterKind buffer(KeyValues kv) throws OptionException {
    OptionalLong micros = kv.takeNumber("interval", 0, 0xffff_ffffL);
    if (micros.isEmpty()) {
      throw new OptionException("Parameter 'interval' is missing");
    }
    if (micros.getAsLong() == 0) {
      throw new OptionException("Property 'filter-buffer.interval' requires a positive value");
    }
    return new FilterKind.Buffer(micros.getAsLong());
  }
}
