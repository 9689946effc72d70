package org.ascus.devices.virtio.input;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.ascus.devices.input.KeyNames;
import org.ascus.devices.input.Pointer;
import org.ascus.devices.virtio.GuestDriver;
import org.ascus.devices.virtio.VirtioContract;
import org.ascus.devices.virtio.VirtioDevice;
import org.ascus.devices.virtio.VirtioHost;
import org.junit.jupiter.api.Test;

class VirtioInputTest extends VirtioContract {
  private static final int SLOTS = 16;

  private InputKind kind = InputKind.KEYBOARD;
  private GuestDriver d;
  private GuestDriver.Queue q;
  private long buffers;
  private int taken;

  @Override
  protected VirtioDevice device(VirtioHost host) {
    return new VirtioInput("input0", host, kind);
  }

  @Override
  protected int workQueue() {
    return 1;
  }

  @Override
  protected boolean writesWorkQueue() {
    return false;
  }

  private VirtioInput start(InputKind which) throws Exception {
    kind = which;
    d = driver(false);
    d.start(0);
    q = d.queue(0, SLOTS);
    d.ready();
    buffers = d.alloc(8 * SLOTS);
    for (int i = 0; i < SLOTS; i++) {
      q.add(d.in(buffers + 8L * i, 8));
    }
    q.kick();
    taken = 0;
    return (VirtioInput) d.device;
  }

  private List<String> events() {
    List<String> all = new ArrayList<>();
    while (taken < q.usedIndex()) {
      ByteBuffer b = ByteBuffer.wrap(d.bytesAt(buffers + 8L * taken++, 8)).order(ByteOrder.LITTLE_ENDIAN);
      all.add(b.getShort() + ":" + b.getShort() + "=" + b.getInt());
    }
    return all;
  }

  private byte[] select(int selector, int sub) {
    d.put(GuestDriver.SLOT + 0x100, 1, selector);
    d.put(GuestDriver.SLOT + 0x101, 1, sub);
    byte[] data = new byte[(int) d.get(GuestDriver.SLOT + 0x102, 1)];
    for (int i = 0; i < data.length; i++) {
      data[i] = (byte) d.get(GuestDriver.SLOT + 0x108 + i, 1);
    }
    return data;
  }

  @Test
  void keysGoDownOnceAndUpOnce() throws Exception {
    VirtioInput keyboard = start(InputKind.KEYBOARD);
    int a = KeyNames.code("a").orElseThrow();
    keyboard.key(a, true);
    keyboard.key(a, true);
    keyboard.key(a, false);
    keyboard.key(a, false);
    keyboard.key(700, true);
    keyboard.key(-1, true);
    assertThat(events()).containsExactly("1:30=1", "0:0=0", "1:30=0", "0:0=0");
    assertThat(d.irq()).isTrue();
  }

  @Test
  void pointersMoveOrPoint() throws Exception {
    VirtioInput mouse = start(InputKind.MOUSE);
    mouse.move(3, -4, 1);
    mouse.place(1, 1);
    mouse.button(Pointer.Button.RIGHT, true);
    assertThat(events()).containsExactly("2:0=3", "2:1=-4", "2:8=1", "0:0=0", "1:273=1", "0:0=0");
    VirtioInput tablet = start(InputKind.TABLET);
    tablet.move(3, -4, 0);
    tablet.place(100_000, -5);
    assertThat(events()).containsExactly("3:0=32767", "3:1=0", "0:0=0");
  }

  @Test
  void aDeviceSaysWhatItIs() throws Exception {
    start(InputKind.KEYBOARD);
    assertThat(new String(select(1, 0), StandardCharsets.US_ASCII)).isEqualTo("QEMU Virtio Keyboard");
    assertThat(select(3, 0)).isEqualTo(new byte[] {6, 0, 0x27, 6, 1, 0, 1, 0});
    byte[] keys = select(0x11, 1);
    assertThat(keys[30 / 8] >> 30 % 8 & 1).isEqualTo(1);
    assertThat(select(0x11, 3)).isEmpty();
    assertThat(select(0x12, 0)).isEmpty();
    assertThat(select(99, 99)).isEmpty();
    start(InputKind.TABLET);
    assertThat(ByteBuffer.wrap(select(0x12, 1)).order(ByteOrder.LITTLE_ENDIAN).getInt(4)).isEqualTo(Pointer.MOST);
    assertThat(select(0x11, 3)).isEqualTo(new byte[] {3});
  }

  @Test
  void aGuestThatTakesNoEventsLosesWholePackets() throws Exception {
    VirtioInput tablet = start(InputKind.TABLET);
    for (int i = 0; i < 5000; i++) {
      tablet.place(i, i);
    }
    assertThat(events()).hasSize(SLOTS);
    int seen = 0;
    for (int round = 0; round < 100; round++) {
      for (int i = 0; i < SLOTS; i++) {
        q.offer(i);
      }
      int before = q.usedIndex();
      q.kick();
      seen += q.usedIndex() - before;
    }
    assertThat((seen + SLOTS) % 3).isZero();
    assertThat(seen).isLessThan(2000);
  }
}
