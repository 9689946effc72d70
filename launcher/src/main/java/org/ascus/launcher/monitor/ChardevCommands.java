package org.ascus.launcher.monitor;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.ascus.devices.chardev.RingChardev;
import org.ascus.launcher.options.OptionException;
import org.ascus.polyglot.Vm;

/** Commands about byte channels. */
final class ChardevCommands {
  private final Vm vm;
  private final Chardevs chardevs;

  ChardevCommands(Vm vm, Chardevs chardevs) {
    this.vm = vm;
    this.chardevs = chardevs;
  }

  /** {@code info chardev}. */
  String show() {
    StringBuilder text = new StringBuilder();
    chardevs.describe().forEach((label, file) -> text.append(label).append(": filename=").append(file).append('\n'));
    return text.toString();
  }

  /** {@code chardev-add backend,id=...}. */
  String add(List<String> arguments) {
    try {
      String id = chardevs.add(String.join(" ", arguments));
      vm.addChardev(id, user -> chardevs.front(id, user));
      return "";
    } catch (OptionException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  /** {@code chardev-remove id}. */
  String remove(List<String> arguments) {
    try {
      String id = one(arguments, "chardev-remove takes the id of a chardev");
      chardevs.remove(id);
      vm.removeChardev(id);
      return "";
    } catch (OptionException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  /** {@code chardev-change id backend,...}. */
  String change(List<String> arguments) {
    if (arguments.size() < 2) {
      throw new IllegalArgumentException("chardev-change takes the id of a chardev and what it shall be");
    }
    try {
      chardevs.change(arguments.getFirst(), String.join(" ", arguments.subList(1, arguments.size())));
      return "";
    } catch (OptionException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  /** {@code chardev-send-break id}. */
  String sendBreak(List<String> arguments) {
    try {
      chardevs.sendBreak(one(arguments, "chardev-send-break takes the id of a chardev"));
      return "";
    } catch (OptionException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  private static String one(List<String> arguments, String usage) {
    if (arguments.size() != 1) {
      throw new IllegalArgumentException(usage);
    }
    return arguments.getFirst();
  }

  private RingChardev ring(List<String> arguments, String usage) {
    if (arguments.size() < 2) {
      throw new IllegalArgumentException(usage);
    }
    String label = arguments.getFirst();
    if (!chardevs.describe().containsKey(label)) {
      throw new IllegalArgumentException("Device '" + label + "' not found");
    }
    return chardevs
        .ring(label)
        .orElseThrow(() -> new IllegalArgumentException(label + " is not a ringbuf device"));
  }

  /** {@code ringbuf_write device data}: as if the guest had said it. */
  String write(List<String> arguments) {
    RingChardev ring = ring(arguments, "ringbuf_write takes a device and data");
    byte[] data = String.join(" ", arguments.subList(1, arguments.size())).getBytes(StandardCharsets.UTF_8);
    ring.write(data, 0, data.length);
    return "";
  }

  /** {@code ringbuf_read device size}: the oldest that is kept, which is taken; what cannot be shown is escaped. */
  String read(List<String> arguments) {
    RingChardev ring = ring(arguments, "ringbuf_read takes a device and a size");
    if (arguments.size() != 2 || !arguments.get(1).matches("[1-9][0-9]{0,8}")) {
      throw new IllegalArgumentException("size must be greater than zero");
    }
    StringBuilder text = new StringBuilder();
    for (char c : ring.take(Integer.parseInt(arguments.get(1))).toCharArray()) {
      if (c == '\\') {
        text.append("\\\\");
      } else if (c < ' ' && c != '\n' || c == 0x7f) {
        text.append(String.format("\\u%04X", (int) c));
      } else {
        text.append(c);
      }
    }
    return text.append('\n').toString();
  }
}
