package org.ascus.launcher.monitor;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.ascus.devices.input.KeyNames;
import org.ascus.devices.input.Keyboard;
import org.ascus.devices.input.Pointer;
import org.ascus.devices.virtio.input.InputKind;
import org.ascus.devices.virtio.input.VirtioInput;
import org.ascus.machine.clock.VirtualClock;
import org.ascus.polyglot.Vm;

/** Commands that press keys and move pointers. */
final class InputCommands {
  private static final long MILLISECOND = 1_000_000;
  private static final int HOLD_MILLIS = 100;
  private static final int MOST_KEYS = 16;
  private static final int MOST_MOVE = 1 << 20;

  private final Vm vm;
  private long free;
  private int buttons;

  InputCommands(Vm vm) {
    this.vm = vm;
  }

  private List<VirtioInput> devices() {
    return vm.machine().devices().stream()
        .filter(VirtioInput.class::isInstance)
        .map(VirtioInput.class::cast)
        .toList();
  }

  private static <T> T last(Stream<? extends T> devices, String what) {
    return devices
        .reduce((a, b) -> b)
        .map(d -> (T) d)
        .orElseThrow(() -> new IllegalArgumentException("the machine has no " + what));
  }

  private Keyboard keyboard() {
    return last(
        devices().stream().filter(d -> d.kind() == InputKind.KEYBOARD), "keyboard (-device virtio-keyboard-pci)");
  }

  private Pointer pointer() {
    return last(
        devices().stream().filter(d -> d.kind() != InputKind.KEYBOARD), "pointer (-device virtio-tablet-pci)");
  }

  /** {@code sendkey ctrl-alt-f1 [milliseconds]}: keys go down in order and up the other way, after those before. */
  String sendKey(List<String> arguments) {
    if (arguments.isEmpty() || arguments.size() > 2) {
      throw new IllegalArgumentException("sendkey takes keys, joined by '-', and for how many milliseconds");
    }
    List<Integer> codes = keys(arguments.getFirst());
    long hold = arguments.size() < 2 ? HOLD_MILLIS : number(arguments.get(1), 1, 60_000);
    Keyboard keyboard = keyboard();
    VirtualClock clock = vm.machine().clock();
    long now = clock.nanos();
    long start = Math.max(now, free);
    free = start + 2 * hold * MILLISECOND;
    List<Integer> back = new ArrayList<>(codes);
    Collections.reverse(back);
    if (start == now) {
      codes.forEach(c -> keyboard.key(c, true));
    } else {
      clock.newTimer(() -> codes.forEach(c -> keyboard.key(c, true))).arm(start);
    }
    clock.newTimer(() -> back.forEach(c -> keyboard.key(c, false))).arm(start + hold * MILLISECOND);
    return "";
  }

  private static List<Integer> keys(String text) {
    List<Integer> codes = new ArrayList<>();
    for (String name : text.split("-", -1)) {
      String known = name.equals("<") ? "less" : name;
      codes.add(
          KeyNames.code(known)
              .or(() -> known.matches("0x[0-9a-f]{1,2}") ? Optional.of(Integer.decode(known)) : Optional.empty())
              .orElseThrow(() -> new IllegalArgumentException("invalid parameter: " + name)));
    }
    if (codes.size() > MOST_KEYS) {
      throw new IllegalArgumentException("too many keys");
    }
    return codes;
  }

  private static int number(String text, int least, int most) {
    try {
      int value = Integer.parseInt(text);
      if (value >= least && value <= most) {
        return value;
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    throw new IllegalArgumentException("'" + text + "' is not a number from " + least + " to " + most);
  }

  /** {@code mouse_move dx dy [dz]}: a tablet takes the first two as a place. */
  String mouseMove(List<String> arguments) {
    if (arguments.size() < 2 || arguments.size() > 3) {
      throw new IllegalArgumentException("mouse_move takes dx, dy and dz, which may be left out");
    }
    List<Integer> by = arguments.stream().map(a -> number(a, -MOST_MOVE, MOST_MOVE)).toList();
    Pointer pointer = pointer();
    if (pointer.isAbsolute()) {
      pointer.place(by.get(0), by.get(1));
    }
    pointer.move(by.get(0), by.get(1), by.size() > 2 ? by.get(2) : 0);
    return "";
  }

  /** {@code mouse_button state}: bit 0 left, 1 right, 2 middle. */
  String mouseButton(List<String> arguments) {
    if (arguments.size() != 1) {
      throw new IllegalArgumentException("mouse_button takes a state: 1 left, 2 right, 4 middle, or a sum of them");
    }
    int state = number(arguments.getFirst(), 0, 7);
    Pointer pointer = pointer();
    for (Pointer.Button button : Pointer.Button.values()) {
      int bit = 1 << button.ordinal();
      if (((state ^ buttons) & bit) != 0) {
        pointer.button(button, (state & bit) != 0);
      }
    }
    buttons = state;
    return "";
  }

  /** {@code info mice}: the pointers; the last one is used. */
  String mice() {
    List<VirtioInput> pointers = devices().stream().filter(d -> d.kind() != InputKind.KEYBOARD).toList();
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < pointers.size(); i++) {
      VirtioInput pointer = pointers.get(i);
      text.append(
          String.format(
              "%s Mouse #%d: %s%s%n",
              i == pointers.size() - 1 ? "*" : " ",
              i,
              pointer.properties().get("name"),
              pointer.isAbsolute() ? " (absolute)" : ""));
    }
    return pointers.isEmpty() ? "No mouse devices connected\n" : text.toString();
  }
}
