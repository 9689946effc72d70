package org.ascus.launcher.img;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.ascus.devices.block.protocol.Keys;

/**
 * What qemu-img calls an image that was described: the name of its file if that says it all, else {@code json:} and
 * what makes it what it is.
 */
final class DescribedName {
  /** Options by driver that change what an image is; those that end in a dot are beginnings of names. */
  private static final Map<String, List<String>> SIGNIFICANT =
      Map.of(
          "raw", List.of("offset", "size"),
          "luks", List.of("key-secret"),
          "qcow2", List.of("encrypt."),
          "null-co", List.of("size", "read-zeroes"),
          "null-aio", List.of("size", "read-zeroes"),
          "throttle", List.of("throttle-group"));

  private static final List<String> FILTERS = List.of("throttle", "copy-on-read", "compress", "preallocate");

  /** A number in JSON, where the description was in JSON, too. */
  private final boolean numbers;

  /**
   * What is known of a node.
   *
   * @param plain its name if that makes the same node
   * @param options all that makes it
   */
  private record Node(Optional<String> plain, Map<String, Object> options) {}

  private DescribedName(boolean numbers) {
    this.numbers = numbers;
  }

  /**
   * The name.
   *
   * @param options names and values; taken out
   * @param json whether they come from JSON
   * @param format of the image if its driver was not said
   * @param file name of its file, for drivers of which nothing is known here
   */
  static String of(Map<String, String> options, boolean json, String format, String file) {
    Node node = new DescribedName(json).node(new Keys(options), format, file);
    return node.plain.orElseGet(() -> "json:" + Json.line(node.options));
  }

  private Node node(Keys keys, String otherwise, String name) {
    String driver = keys.text("driver").orElse(otherwise);
    Map<String, Object> options = new LinkedHashMap<>();
    options.put("driver", driver);
    return switch (driver) {
      case "file", "host_device" -> {
        String file = keys.text("filename").orElse(name);
        options.put("filename", file);
        yield new Node(Optional.of(file), options);
      }
      case "null-co", "null-aio" ->
          new Node(takeSignificant(driver, keys, options) ? Optional.empty() : Optional.of(driver + "://"), options);
      case "nbd", "http", "https", "ssh" -> new Node(Optional.of(name), options);
      case "blkdebug" -> {
        Optional<String> config = keys.text("config");
        config.ifPresent(c -> options.put("config", c));
        Node image = node(keys.within("image."), "file", name);
        options.put("image", image.options);
        keys.values().forEach(options::put);
        Optional<String> plain = image.plain.map(p -> "blkdebug:" + config.orElse("") + ":" + p);
        yield new Node(keys.values().isEmpty() ? plain : Optional.empty(), options);
      }
      default -> {
        boolean filter = FILTERS.contains(driver);
        boolean special = takeSignificant(driver, keys, options) || filter;
        Node file = node(keys.within("file."), filter ? "raw" : "file", name);
        options.put("file", file.options);
        yield new Node(special ? Optional.empty() : file.plain, options);
      }
    };
  }

  private boolean takeSignificant(String driver, Keys keys, Map<String, Object> to) {
    boolean any = false;
    for (String name : List.copyOf(keys.values().keySet())) {
      boolean wanted = SIGNIFICANT.getOrDefault(driver, List.of()).stream()
          .anyMatch(s -> s.endsWith(".") ? name.startsWith(s) : name.equals(s));
      if (wanted) {
        String value = keys.values().get(name);
        to.put(name, numbers && value.matches("[0-9]{1,18}") ? Long.valueOf(value) : value);
        any = true;
      }
    }
    return any;
  }
}
