package org.ascus.devices.virtio.input;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.ascus.devices.input.Keyboard;
import org.ascus.devices.input.Pointer;
import org.ascus.devices.virtio.VirtioDevice;
import org.ascus.devices.virtio.VirtioHost;
import org.ascus.devices.virtio.queue.Virtqueue;
import org.ascus.devices.virtio.queue.VirtqueueElement;
import org.ascus.devices.virtio.queue.VirtqueueException;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;

/**
 * A virtio input device (VIRTIO 1.2, section 5.8). Queue 0 brings events to the guest, of type 16, code 16 and value 32
 * bits each; queue 1 what the guest wants shown, as lights of a keyboard, which nobody looks at.
 *
 * <p>Configuration space: a selector and a sub-selector, 8 bits each, then 8 bits of size and, from byte 8 on, what was
 * selected. Events that belong together are kept together: when there is no room for all of them, none is kept.
 */
public final class VirtioInput extends VirtioDevice implements Keyboard, Pointer {
  private static final int DEVICE_ID = 18;
  private static final int QUEUE_SIZE = 64;
  private static final int CONFIG_SIZE = 136;
  private static final int CONFIG_DATA = 8;
  private static final int ID_NAME = 1;
  private static final int ID_DEVICE = 3;
  private static final int EVENT_BITS = 0x11;
  private static final int AXIS = 0x12;
  private static final int EVENT = 8;
  private static final int MOST_EVENTS = 1024;

  private final InputKind kind;
  private final Deque<byte[]> events = new ArrayDeque<>();
  private final Set<Integer> held = new HashSet<>();
  private int selector;
  private int subSelector;

  public VirtioInput(String id, VirtioHost host, InputKind kind) {
    super(kind.stem() + "-device", id, host, DEVICE_ID, QUEUE_SIZE, QUEUE_SIZE);
    this.kind = kind;
  }

  public InputKind kind() {
    return kind;
  }

  @Override
  protected long deviceFeatures() {
    return 0;
  }

  @Override
  protected byte[] configSpace() {
    byte[] space = new byte[CONFIG_SIZE];
    byte[] data = selected();
    space[0] = (byte) selector;
    space[1] = (byte) subSelector;
    space[2] = (byte) data.length;
    System.arraycopy(data, 0, space, CONFIG_DATA, data.length);
    return space;
  }

  private byte[] selected() {
    return switch (selector) {
      case ID_NAME -> kind.title().getBytes(StandardCharsets.US_ASCII);
      case ID_DEVICE -> kind.identity();
      case EVENT_BITS -> kind.codes(subSelector);
      case AXIS -> kind.axis(subSelector);
      default -> new byte[0];
    };
  }

  @Override
  protected void configWritten(int offset, int width, long value) {
    for (int i = 0; i < width; i++) {
      int part = (int) (value >>> 8 * i) & 0xff;
      if (offset + i == 0) {
        selector = part;
      } else if (offset + i == 1) {
        subSelector = part;
      }
    }
  }

  @Override
  protected void deviceReset() {
    events.clear();
    held.clear();
    selector = 0;
    subSelector = 0;
  }

  @Override
  protected void queueNotified(Virtqueue queue) {
    if (queue.index() == 0) {
      deliver();
      return;
    }
    try {
      boolean used = false;
      for (Optional<VirtqueueElement> e = queue.pop(); e.isPresent(); e = queue.pop()) {
        queue.push(e.get(), 0);
        used = true;
      }
      if (used) {
        publish(queue);
      }
    } catch (VirtqueueException e) {
      fail(queue, e.getMessage());
    }
  }

  private void deliver() {
    Virtqueue queue = queue(0);
    if (!live() || !queue.isReady()) {
      return;
    }
    try {
      boolean used = false;
      while (!events.isEmpty()) {
        Optional<VirtqueueElement> element = queue.pop();
        if (element.isEmpty()) {
          break;
        }
        queue.push(element.get(), element.get().writable().write(0, events.remove(), 0, EVENT));
        used = true;
      }
      if (used) {
        publish(queue);
      }
    } catch (VirtqueueException e) {
      fail(queue, e.getMessage());
    }
  }

  private static byte[] event(int type, int code, int value) {
    ByteBuffer b = ByteBuffer.allocate(EVENT).order(ByteOrder.LITTLE_ENDIAN);
    return b.putShort((short) type).putShort((short) code).putInt(value).array();
  }

  private void inject(byte[]... packet) {
    if (packet.length == 0 || !live() || events.size() + packet.length + 1 > MOST_EVENTS) {
      return;
    }
    events.addAll(Arrays.asList(packet));
    events.add(event(InputKind.EV_SYN, 0, 0));
    deliver();
  }

  private boolean has(int code) {
    byte[] bits = kind.codes(InputKind.EV_KEY);
    return code >= 0 && code / 8 < bits.length && (bits[code / 8] >> code % 8 & 1) != 0;
  }

  @Override
  public void key(int code, boolean down) {
    confined(
        () -> {
          // Guests repeat keys by themselves: a key that is down already is no event.
          if (has(code) && (down ? held.add(code) : held.remove(code))) {
            inject(event(InputKind.EV_KEY, code, down ? 1 : 0));
          }
        }).run();
  }

  @Override
  public boolean isAbsolute() {
    return kind == InputKind.TABLET;
  }

  @Override
  public void move(int right, int down, int wheel) {
    Deque<byte[]> packet = new ArrayDeque<>();
    boolean moves = kind == InputKind.MOUSE;
    if (moves && right != 0) {
      packet.add(event(InputKind.EV_REL, InputKind.X, right));
    }
    if (moves && down != 0) {
      packet.add(event(InputKind.EV_REL, InputKind.Y, down));
    }
    if (kind != InputKind.KEYBOARD && wheel != 0) {
      packet.add(event(InputKind.EV_REL, InputKind.WHEEL, wheel));
    }
    confined(() -> inject(packet.toArray(byte[][]::new))).run();
  }

  @Override
  public void place(int x, int y) {
    if (isAbsolute()) {
      byte[] across = event(InputKind.EV_ABS, InputKind.X, Math.clamp(x, 0, MOST));
      byte[] down = event(InputKind.EV_ABS, InputKind.Y, Math.clamp(y, 0, MOST));
      confined(() -> inject(across, down)).run();
    }
  }

  @Override
  public void button(Button button, boolean down) {
    key(button.code(), down);
  }

  @Override
  public Map<String, String> properties() {
    return Map.of("name", kind.title());
  }

  @Override
  protected void saveDevice(StateWriter out) {
    byte[] all = new byte[events.size() * EVENT];
    int at = 0;
    for (byte[] event : events) {
      System.arraycopy(event, 0, all, at, EVENT);
      at += EVENT;
    }
    out.putBytes("events", all);
    out.putLongs("held", held.stream().mapToLong(Integer::longValue).sorted().toArray());
    out.putLong("selector", selector);
    out.putLong("subSelector", subSelector);
  }

  @Override
  protected void loadDevice(StateReader in, int version) throws StateException {
    byte[] all = in.getBytes("events");
    if (all.length % EVENT != 0 || all.length / EVENT > MOST_EVENTS) {
      throw new StateException("device " + id() + ": " + all.length + " bytes of events");
    }
    for (int at = 0; at < all.length; at += EVENT) {
      events.add(Arrays.copyOfRange(all, at, at + EVENT));
    }
    for (long code : in.getLongs("held")) {
      if (!has(Math.clamp(code, -1, Short.MAX_VALUE))) {
        throw new StateException("device " + id() + " has no key " + code);
      }
      held.add((int) code);
    }
    selector = (int) in.getLong("selector", 0, 0xff);
    subSelector = (int) in.getLong("subSelector", 0, 0xff);
  }
}
