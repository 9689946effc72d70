package org.ascus.devices.virtio.input;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.ascus.devices.input.KeyNames;
import org.ascus.devices.input.Pointer;

/** What an input device says of itself, by the types and codes of linux/input-event-codes.h. */
public enum InputKind {
  KEYBOARD("virtio-keyboard", "QEMU Virtio Keyboard", 1),
  MOUSE("virtio-mouse", "QEMU Virtio Mouse", 2),
  TABLET("virtio-tablet", "QEMU Virtio Tablet", 3);

  static final int EV_SYN = 0;
  static final int EV_KEY = 1;
  static final int EV_REL = 2;
  static final int EV_ABS = 3;
  static final int EV_LED = 17;
  static final int EV_REP = 20;
  static final int X = 0;
  static final int Y = 1;
  static final int WHEEL = 8;

  private static final int BUS_VIRTUAL = 6;
  private static final int VENDOR = 0x627;
  private static final List<Integer> LEDS = List.of(0, 1, 2);
  private static final List<Integer> BUTTONS = List.of(0x110, 0x111, 0x112);
  private static final List<Integer> AXES = List.of(X, Y);

  private final String stem;
  private final String title;
  private final int product;

  InputKind(String stem, String title, int product) {
    this.stem = stem;
    this.title = title;
    this.product = product;
  }

  /** The beginning of the names that {@code -device} knows it by. */
  public String stem() {
    return stem;
  }

  /** The name that a guest shows; guests know QEMU's. */
  String title() {
    return title;
  }

  /** Bus, vendor, product and version, 16 bits each. */
  byte[] identity() {
    ByteBuffer b = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
    return b.putShort((short) BUS_VIRTUAL).putShort((short) VENDOR).putShort((short) product).putShort((short) 1)
        .array();
  }

  /** A bit for each code of a type of events; empty if it has none of them. */
  byte[] codes(int type) {
    return bits(events().getOrDefault(type, List.of()));
  }

  private Map<Integer, Collection<Integer>> events() {
    return switch (this) {
      case KEYBOARD -> Map.of(EV_KEY, KeyNames.codes(), EV_LED, LEDS, EV_REP, List.of(0, 1));
      case MOUSE -> Map.of(EV_KEY, BUTTONS, EV_REL, List.of(X, Y, WHEEL));
      case TABLET -> Map.of(EV_KEY, BUTTONS, EV_ABS, AXES, EV_REL, List.of(WHEEL));
    };
  }

  /** Least, largest, noise, dead zone and resolution of an axis, 32 bits each; empty for other axes. */
  byte[] axis(int axis) {
    if (this != TABLET || !AXES.contains(axis)) {
      return new byte[0];
    }
    return ByteBuffer.allocate(20).order(ByteOrder.LITTLE_ENDIAN).putInt(0).putInt(Pointer.MOST).array();
  }

  private static byte[] bits(Collection<Integer> codes) {
    int most = codes.stream().mapToInt(Integer::intValue).max().orElse(-1);
    byte[] bits = new byte[(most + 8) / 8];
    codes.forEach(c -> bits[c / 8] |= (byte) (1 << c % 8));
    return bits;
  }
}
