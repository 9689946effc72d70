package org.ascus.launcher.img;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The options of {@code -o}, format by format, which {@code -o help} lists in qemu-img's words. */
final class OptionHelp {
  /** An option: its name, the kind of its value, and what it is. */
  private record Option(String name, String kind, String text) {
    String line() {
      return String.format("  %-22s - %s\n", name + "=<" + kind + ">", text);
    }
  }

  private static final String FLAG = "bool (on/off)";

  private static final Option SIZE = new Option("size", "size", "Virtual disk size");
  private static final Option ITERATIONS =
      new Option("iter-time", "num", "Time to spend in PBKDF in milliseconds");

  private static final List<Option> FILE =
      List.of(
          new Option("extent_size_hint", "size", "Extent size hint for the image file, 0 to disable"),
          new Option("nocow", FLAG, "Turn off copy-on-write (valid only on btrfs)"),
          new Option("preallocation", "str", "Preallocation mode (allowed values: off, falloc, full)"));

  private static final List<Option> CIPHER =
      List.of(
          new Option("cipher-alg", "str", "Name of encryption cipher algorithm"),
          new Option("cipher-mode", "str", "Name of encryption cipher mode"),
          new Option("hash-alg", "str", "Name of encryption hash algorithm"),
          ITERATIONS,
          new Option("ivgen-alg", "str", "Name of IV generator algorithm"),
          new Option("ivgen-hash-alg", "str", "Name of IV generator hash algorithm"));

  private static final List<Option> KEYS =
      List.of(
          ITERATIONS,
          new Option("keyslot", "num", "Select a single keyslot to modify explicitly"),
          new Option("new-secret", "str", "New secret to set in the matching keyslots. Empty string to erase"),
          new Option("old-secret", "str", "Select all keyslots that match this password"),
          new Option("state", "str", "Select new state of affected keyslots (active/inactive)"));

  private static final List<Option> QCOW2_AMEND =
      List.of(
          new Option("backing_file", "str", "File name of a base image"),
          new Option("backing_fmt", "str", "Image format of the base image"),
          new Option("compat", "str", "Compatibility level (v2 [0.10] or v3 [1.1])"),
          new Option("data_file", "str", "File name of an external data file"),
          new Option("data_file_raw", FLAG, "The external data file must stay valid as a raw image"),
          new Option("lazy_refcounts", FLAG, "Postpone refcount updates"),
          new Option("refcount_bits", "num", "Width of a reference count entry in bits"),
          SIZE);

  private static final List<Option> QCOW2_CREATE =
      List.of(
          new Option("cluster_size", "size", "qcow2 cluster size"),
          new Option("compression_type", "str", "Compression method used for image cluster compression"),
          new Option("encrypt.format", "str", "Encrypt the image, format choices: 'luks'"),
          new Option("encrypt.key-secret", "str", "ID of secret providing the LUKS passphrase"),
          new Option("extended_l2", FLAG, "Extended L2 tables"),
          new Option("preallocation", "str", "Preallocation mode (allowed values: off, metadata, falloc, full)"));

  private OptionHelp() {}

  /** Whether {@code -o} asks for help. */
  static boolean wanted(List<String> options) {
    return options.stream().flatMap(o -> Stream.of(o.split(","))).anyMatch(o -> o.equals("help") || o.equals("?"));
  }

  private static List<Option> inQcow2(List<Option> options) {
    return options.stream().map(o -> new Option("encrypt." + o.name(), o.kind(), o.text())).toList();
  }

  private static List<Option> creation(String format) throws ImgException {
    return switch (format) {
      case "raw" -> List.of(SIZE);
      case "luks" -> join(CIPHER, List.of(SIZE,
          new Option("key-secret", "str", "ID of the secret that provides the keyslot passphrase")));
      case "qcow2" -> join(QCOW2_AMEND, QCOW2_CREATE, inQcow2(CIPHER));
      default -> throw new ImgException("Unknown file format '" + format + "'");
    };
  }

  /** What can be said when an image is made; of a file too if there is one. */
  static String ofCreation(String format, Optional<String> file) throws ImgException {
    List<Option> own = creation(format);
    if (file.isEmpty()) {
      return "Supported " + format + " options:\n" + lines(own) + "\nThe protocol level may support further options.\n"
          + "Specify the target filename to include those options.\n";
    }
    List<Option> others =
        FILE.stream().filter(f -> own.stream().noneMatch(o -> o.name().equals(f.name()))).toList();
    return "Supported options:\n" + lines(join(own, others));
  }

  /** What can be amended. */
  static String ofAmendment(String format) throws ImgException {
    return "Amend options for '" + format + "':\n" + lines(amendment(format));
  }

  private static List<Option> amendment(String format) throws ImgException {
    return switch (format) {
      case "luks" -> KEYS;
      case "qcow2" -> join(QCOW2_AMEND, inQcow2(KEYS));
      default -> throw new ImgException("Format driver '" + format + "' does not support option amendment");
    };
  }

  /** Fails unless {@code option} can be amended. */
  static void checkAmendment(String format, String option) throws ImgException {
    if (amendment(format).stream().noneMatch(o -> o.name().equals(option))) {
      boolean known = creation(format).stream().anyMatch(o -> o.name().equals(option));
      throw new ImgException(
          "Invalid parameter '" + option + "'" + (known ? "\nThis option is only supported for image creation" : ""));
    }
  }

  @SafeVarargs
  private static List<Option> join(List<Option>... lists) {
    List<Option> all = new ArrayList<>();
    for (List<Option> list : lists) {
      all.addAll(list);
    }
    return all;
  }

  private static String lines(List<Option> options) {
    StringBuilder text = new StringBuilder();
    options.stream().sorted(Comparator.comparing(Option::name)).forEach(o -> text.append(o.line()));
    return text.toString();
  }
}
