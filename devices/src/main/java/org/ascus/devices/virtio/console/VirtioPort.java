package org.ascus.devices.virtio.console;

import java.util.Map;
import java.util.Optional;
import org.ascus.devices.chardev.CharBackend;
import org.ascus.devices.chardev.CharReceiver;
import org.ascus.devices.virtio.queue.ScatterList;
import org.ascus.devices.virtio.queue.Virtqueue;
import org.ascus.devices.virtio.queue.VirtqueueElement;
import org.ascus.devices.virtio.queue.VirtqueueException;
import org.ascus.machine.device.Device;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;

/**
 * A port of a {@link VirtioSerial}: a console, or a plain port that is found by its name. Guarded by the lock of the
 * device that it is plugged into; its own lock is not used.
 *
 * <p>Input waits in a buffer of {@value #BUFFER} bytes until the driver offers room; while that is full the channel is
 * asked to wait. A plain port is open on the host while its channel has somebody at the other end, a console always.
 */
public final class VirtioPort extends Device {
  private static final int BUFFER = 4096;

  private final boolean console;
  private final String name;
  private final Optional<CharBackend> backend;
  private Optional<VirtioSerial> bus = Optional.empty();
  private int number;
  private byte[] input = new byte[BUFFER];
  private int inputCount;
  private boolean guestOpen;
  private boolean guestReady;
  private boolean toldOpen;
  private volatile boolean peerThere;

  /**
   * @param console {@code virtconsole} if true, {@code virtserialport} otherwise
   * @param name what the guest finds it by; may be empty
   * @param backend what it leads to; nothing if empty
   */
  public VirtioPort(String id, boolean console, String name, Optional<CharBackend> backend) {
    super(console ? "virtconsole" : "virtserialport", id);
    this.console = console;
    this.name = name;
    this.backend = backend;
  }

  @Override
  public Optional<String> parent() {
    return bus.map(Device::id);
  }

  public boolean isConsole() {
    return console;
  }

  String name() {
    return name;
  }

  int number() {
    return number;
  }

  void plugged(VirtioSerial device, int number) {
    this.bus = Optional.of(device);
    this.number = number;
  }

  void connect() {
    bus.ifPresent(device -> backend.ifPresent(b -> b.connect(new Receiver(device))));
  }

  private final class Receiver implements CharReceiver {
    private final VirtioSerial device;

    Receiver(VirtioSerial device) {
      this.device = device;
    }

    @Override
    public int canReceive() {
      device.lock().lock();
      try {
        return guestOpen ? BUFFER - inputCount : 0;
      } finally {
        device.lock().unlock();
      }
    }

    @Override
    public void receive(byte[] bytes, int start, int length) {
      device.lock().lock();
      try {
        int count = Math.min(length, BUFFER - inputCount);
        System.arraycopy(bytes, start, input, inputCount, count);
        inputCount += count;
        device.deliver(VirtioPort.this);
      } finally {
        device.lock().unlock();
      }
    }

    @Override
    public void peerChanged(boolean there) {
      peerThere = there;
      // Whoever has the device's lock may wait for the channel's thread, which calls this.
      Thread.ofVirtual().start(() -> device.hostChanged(VirtioPort.this));
    }
  }

  /** Whether what the port leads to is there. */
  boolean hostOpen() {
    return backend.isPresent() && (console || peerThere || !backend.get().hasPeers());
  }

  /** Whether the driver knows the port and believes something else of {@link #hostOpen} than {@code now}. */
  boolean mustTell(boolean now) {
    return guestReady && toldOpen != now;
  }

  void told(boolean open) {
    toldOpen = open;
  }

  /** The driver found the port, and takes it for closed on the host until it is told. */
  void setGuestReady() {
    guestReady = true;
    toldOpen = false;
  }

  boolean guestOpen() {
    return guestOpen;
  }

  void setGuestOpen(boolean open) {
    guestOpen = open;
    if (open) {
      backend.ifPresent(CharBackend::acceptInput);
    }
  }

  void reset() {
    guestOpen = false;
    guestReady = false;
    toldOpen = false;
    inputCount = 0;
  }

  /** Moves waiting input into buffers of the driver; returns whether any was used. */
  boolean fill(Virtqueue queue) throws VirtqueueException {
    boolean used = false;
    while (inputCount > 0) {
      Optional<VirtqueueElement> element = queue.pop();
      if (element.isEmpty()) {
        break;
      }
      int count = element.get().writable().write(0, input, 0, inputCount);
      System.arraycopy(input, count, input, 0, inputCount - count);
      inputCount -= count;
      queue.push(element.get(), count);
      used = true;
    }
    if (used) {
      backend.ifPresent(CharBackend::acceptInput);
    }
    return used;
  }

  /** Sends what the driver wrote. */
  void send(ScatterList bytes) {
    if (backend.isEmpty()) {
      return;
    }
    byte[] chunk = new byte[(int) Math.min(BUFFER, bytes.size())];
    for (long at = 0; at < bytes.size(); ) {
      int count = bytes.read(at, chunk, 0, chunk.length);
      backend.get().write(chunk, 0, count);
      at += count;
    }
  }

  /** One byte of output without a queue: for a driver that is not up yet. */
  void emergency(byte character) {
    backend.ifPresent(b -> b.write(new byte[] {character}, 0, 1));
  }

  @Override
  public Map<String, String> properties() {
    return Map.of(
        "nr", Integer.toString(number),
        "name", name,
        "guest", guestOpen ? "on" : "off",
        "host", hostOpen() ? "on" : "off");
  }

  @Override
  public void save(StateWriter out) {
    bus.ifPresent(b -> b.lock().lock());
    try {
      out.putLong("nr", number);
      out.putBoolean("guestOpen", guestOpen);
      out.putBoolean("guestReady", guestReady);
      out.putBoolean("toldOpen", toldOpen);
      out.putBytes("input", java.util.Arrays.copyOf(input, inputCount));
    } finally {
      bus.ifPresent(b -> b.lock().unlock());
    }
  }

  @Override
  public void load(StateReader in, int version) throws StateException {
    bus.ifPresent(b -> b.lock().lock());
    try {
      if (in.getLong("nr") != number) {
        throw new StateException("port " + id() + " is number " + number + ", the state is for " + in.getLong("nr"));
      }
      byte[] waiting = in.getBytes("input");
      if (waiting.length > BUFFER) {
        throw new StateException("port " + id() + ": " + waiting.length + " bytes of input");
      }
      input = java.util.Arrays.copyOf(waiting, BUFFER);
      inputCount = waiting.length;
      guestReady = in.getBoolean("guestReady");
      toldOpen = in.getBoolean("toldOpen");
      setGuestOpen(in.getBoolean("guestOpen"));
    } finally {
      bus.ifPresent(b -> b.lock().unlock());
    }
  }
}
