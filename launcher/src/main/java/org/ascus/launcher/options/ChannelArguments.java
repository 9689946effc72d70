package org.ascus.launcher.options;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** {@code -serial}, {@code -monitor}, {@code -chardev}, {@code -mon} and what makes the terminal the console. */
public final class ChannelArguments {
  private static final int MAX_RING = 1 << 26;
  /** Of QEMU, but not here, and why. */
  private static final Map<String, String> ABSENT =
      Map.of(
          "vc", "there is no display that could show it",
          "parallel", "no board has a parallel port",
          "parport", "no board has a parallel port",
          "msmouse", "use virtio-mouse-pci",
          "wctablet", "use virtio-tablet-pci",
          "braille", "there is no BrlAPI",
          "qemu-vdagent", "there is no display",
          "spicevmc", "there is no SPICE server",
          "spiceport", "there is no SPICE server",
          "dbus", "there is no D-Bus display");

  private static final String MONITOR = "compat_monitor";

  private ChannelArguments() {}

  static void serial(Draft draft, String argument) throws OptionException {
    if (argument.startsWith("mon:")) {
      CharOptions kind = channel(argument.substring(4));
      CharOptions own = kind instanceof CharOptions.Stdio ? new CharOptions.Stdio(false) : kind;
      CharOptions shared = draft.shared("-serial " + argument, "serial" + draft.serials.size(), own);
      draft.serials.add(shared);
      draft.addMonitor("-serial " + argument, shared);
      return;
    }
    draft.serials.add(draft.own("-serial " + argument, "serial" + draft.serials.size(), channel(argument)));
  }

  static void monitor(Draft draft, String argument) throws OptionException {
    String option = "-monitor " + argument;
    CharOptions channel = channel(argument);
    int number = 0;
    while (draft.chardevs.containsKey(MONITOR + number)) {
      number++;
    }
    draft.addMonitor(option, draft.own(option, MONITOR + number, channel));
  }

  static void mon(Draft draft, String argument) throws OptionException {
    KeyValues kv = KeyValues.parse(argument, "chardev");
    CharOptions channel = new CharOptions.Reference(kv.require("chardev"));
    kv.takeOneOf("mode", "readline");
    kv.takeSwitch("pretty", false);
    kv.expectEmpty();
    draft.addMonitor("-mon " + argument, channel);
  }

  private static CharOptions channel(String text) throws OptionException {
    int colon = text.indexOf(':');
    String kind = colon < 0 ? text : text.substring(0, colon);
    String rest = colon < 0 ? "" : text.substring(colon + 1);
    if (text.startsWith("/dev/")) {
      return new CharOptions.Serial(Path.of(text));
    }
    if (ABSENT.containsKey(kind)) {
      throw absent(kind);
    }
    boolean alone = List.of("none", "null", "stdio", "pty").contains(kind);
    if (alone != rest.isEmpty()) {
      throw new OptionException("'" + text + "' is not a valid char driver");
    }
    return switch (kind) {
      case "none" -> new CharOptions.None();
      case "null" -> new CharOptions.Null();
      case "stdio" -> new CharOptions.Stdio(true);
      case "pty" -> new CharOptions.Pty();
      case "file" -> new CharOptions.File(Path.of(rest), false, Optional.empty());
      case "pipe" -> new CharOptions.Pipe(Path.of(rest));
      case "chardev" -> new CharOptions.Reference(rest);
      case "tcp", "telnet", "websocket", "unix", "udp" -> SocketArguments.legacy(kind, rest);
      default -> throw new OptionException("'" + text + "' is not a valid char driver");
    };
  }

  static void chardev(Draft draft, String argument) throws OptionException {
    KeyValues kv = KeyValues.parse(argument, "backend");
    if (kv.asksForHelp()) {
      draft.answer(
          "Available chardev backend types:\n  "
              + String.join("\n  ", "file", "null", "pipe", "pty", "ringbuf", "serial", "socket", "stdio", "udp")
              + "\n");
      return;
    }
    draft.add(chardev("-chardev " + argument, kv));
  }

  /**
   * The argument of the monitor's commands for channels, which is that of {@code -chardev}.
   *
   * @param option what errors begin with
   * @throws OptionException when it is malformed
   */
  public static ChardevOptions parse(String option, String argument) throws OptionException {
    return chardev(option, KeyValues.parse(argument, "backend"));
  }

  private static ChardevOptions chardev(String option, KeyValues kv) throws OptionException {
    String backend = kv.require("backend");
    String id = kv.takeId().orElseThrow(() -> new OptionException("chardev: no id specified"));
    CharOptions kind =
        switch (backend) {
          case "stdio" -> new CharOptions.Stdio(kv.takeSwitch("signal", true));
          case "null" -> new CharOptions.Null();
          case "file" ->
              new CharOptions.File(
                  Path.of(path(kv, "chardev: file: no filename given")),
                  kv.takeSwitch("append", false),
                  kv.take("input-path").map(Path::of));
          case "pipe" -> new CharOptions.Pipe(Path.of(path(kv, "chardev: pipe: no device path given")));
          case "serial", "tty" ->
              new CharOptions.Serial(Path.of(path(kv, "chardev: serial/tty: no device path given")));
          case "pty" -> new CharOptions.Pty();
          case "ringbuf", "memory" -> new CharOptions.Ring(ringSize(kv.take("size").orElse("64k")));
          case "socket" -> SocketArguments.socket(kv);
          case "udp" -> SocketArguments.udp(kv);
          default -> throw absent(backend);
        };
    boolean mux = kv.takeSwitch("mux", false);
    Optional<Path> log = kv.take("logfile").map(Path::of);
    boolean appendLog = kv.takeSwitch("logappend", false);
    kv.expectEmpty();
    return new ChardevOptions(option, id, kind, mux, log, appendLog);
  }

  private static OptionException absent(String backend) {
    String why = ABSENT.get(backend);
    return new OptionException(
        "'" + backend + "' is not a valid char driver name" + (why == null ? "" : " here: " + why));
  }

  private static String path(KeyValues kv, String missing) throws OptionException {
    return kv.take("path").orElseThrow(() -> new OptionException(missing));
  }

  private static int ringSize(String text) throws OptionException {
    long size = KeyValues.size("size", text, 1);
    if (size < 1 || size > MAX_RING || Long.bitCount(size) != 1) {
      throw new OptionException(
          "size of ringbuf chardev must be " + (size > MAX_RING ? "at most 64M" : "power of two"));
    }
    return (int) size;
  }

  static void display(Draft draft, String argument) throws OptionException {
    switch (argument) {
      case "none" -> draft.displayNone = true;
      case "help" -> draft.answer("Available display backend types:\nnone\n");
      default -> throw new OptionException("there is no display but 'none' yet");
    }
  }

  /** {@code -vga}: there is none. */
  static void onlyNone(Draft draft, String argument) throws OptionException {
    if (!argument.equals("none")) {
      throw new OptionException("only 'none' is supported yet");
    }
  }
}
