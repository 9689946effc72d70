package org.ascus.devices.virtio.console;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Map;
import java.util.Optional;
import org.ascus.devices.virtio.VirtioDevice;
import org.ascus.devices.virtio.VirtioHost;
import org.ascus.devices.virtio.queue.Virtqueue;
import org.ascus.devices.virtio.queue.VirtqueueElement;
import org.ascus.devices.virtio.queue.VirtqueueException;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;

/**
 * The virtio console device (VIRTIO 1.2, section 5.3): up to 31 ports, each with a queue for either direction, and two
 * control queues that tell the driver about them. A driver that knows no multiple ports sees port 0.
 */
public final class VirtioSerial extends VirtioDevice implements VirtioSerialBus {
  /** Most ports of a device. */
  public static final int MAX_PORTS = 31;

  private static final int DEVICE_ID = 3;
  private static final int QUEUE_SIZE = 128;
  private static final int CONTROL_IN = 2;
  private static final int CONTROL_OUT = 3;
  private static final long F_MULTIPORT = 1L << 1;
  private static final long F_EMERGENCY_WRITE = 1L << 2;
  private static final int CONFIG_SIZE = 12;
  private static final int CONFIG_EMERGENCY = 8;
  private static final int MOST_MESSAGES = 8 * MAX_PORTS;

  /** Bytes in one buffer beyond which a driver only wants to keep the host busy. */
  private static final long MOST_OUTPUT = 64L << 20;

  private final VirtioPort[] ports;
  private final Deque<byte[]> messages = new ArrayDeque<>();

  /**
   * @param maxPorts 1 to {@link #MAX_PORTS}
   */
  public VirtioSerial(String id, VirtioHost host, int maxPorts) throws DeviceException {
    super("virtio-serial-device", id, host, DEVICE_ID, queueSizes(maxPorts));
    this.ports = new VirtioPort[maxPorts];
  }

  private static int[] queueSizes(int maxPorts) throws DeviceException {
    if (maxPorts < 1 || maxPorts > MAX_PORTS) {
      throw new DeviceException("maximum ports supported: " + MAX_PORTS + ", not max_ports=" + maxPorts);
    }
    int[] sizes = new int[2 * (maxPorts + 1)];
    Arrays.fill(sizes, QUEUE_SIZE);
    return sizes;
  }

  @Override
  public void plug(VirtioPort port, int number) throws DeviceException {
    lock().lock();
    try {
      int place = number == ANY ? free(port.isConsole()) : number;
      if (place < 0 || place >= ports.length) {
        throw new DeviceException(
            "virtio-serial-bus: " + (number == ANY ? "no free port" : "port number " + number + " is out of range")
                + ", maximum is " + (ports.length - 1));
      }
      if (ports[place] != null) {
        throw new DeviceException("virtio-serial-bus: A port already exists at number " + place);
      }
      if (place == 0 && !port.isConsole()) {
        throw new DeviceException("virtio-serial-bus: Port number 0 is for virtconsole devices");
      }
      ports[place] = port;
      port.plugged(this, place);
    } finally {
      lock().unlock();
    }
    // Without the lock: the channel may hand over its input at once.
    port.connect();
  }

  private int free(boolean console) {
    for (int i = console ? 0 : 1; i < ports.length; i++) {
      if (ports[i] == null) {
        return i;
      }
    }
    return ports.length;
  }

  private static int inputQueue(int port) {
    return port == 0 ? 0 : 2 + 2 * port;
  }

  private Optional<VirtioPort> port(int number) {
    return number >= 0 && number < ports.length ? Optional.ofNullable(ports[number]) : Optional.empty();
  }

  @Override
  protected long deviceFeatures() {
    return F_EMERGENCY_WRITE | (ports.length > 1 ? F_MULTIPORT : 0);
  }

  @Override
  protected byte[] configSpace() {
    return ByteBuffer.allocate(CONFIG_SIZE).order(ByteOrder.LITTLE_ENDIAN).putInt(4, ports.length).array();
  }

  @Override
  protected void configWritten(int offset, int width, long value) {
    if (offset == CONFIG_EMERGENCY) {
      port(0).ifPresent(p -> p.emergency((byte) value));
    }
  }

  @Override
  protected void driverReady() {
    if (!negotiated(F_MULTIPORT)) {
      port(0).ifPresent(p -> p.setGuestOpen(true));
    }
  }

  @Override
  protected void deviceReset() {
    messages.clear();
    for (VirtioPort port : ports) {
      if (port != null) {
        port.reset();
      }
    }
  }

  @Override
  protected void queueNotified(Virtqueue queue) {
    try {
      int index = queue.index();
      if (index == CONTROL_IN) {
        sendMessages();
      } else if (index == CONTROL_OUT) {
        receiveMessages(queue);
      } else {
        Optional<VirtioPort> port = port(index < 2 ? 0 : index / 2 - 1);
        if (index % 2 == 0) {
          port.ifPresent(this::deliver);
        } else {
          takeOutput(queue, port);
        }
      }
    } catch (VirtqueueException e) {
      fail(queue, e.getMessage());
    }
  }

  private void takeOutput(Virtqueue queue, Optional<VirtioPort> port) throws VirtqueueException {
    boolean used = false;
    for (Optional<VirtqueueElement> e = queue.pop(); e.isPresent(); e = queue.pop()) {
      VirtqueueElement element = e.get();
      if (element.readable().size() > MOST_OUTPUT) {
        throw new VirtqueueException("output of " + element.readable().size() + " bytes at once");
      }
      port.ifPresent(p -> p.send(element.readable()));
      queue.push(element, 0);
      used = true;
    }
    if (used) {
      publish(queue);
    }
  }

  /** Gives input that waits in {@code port} to the driver, as far as it has room. */
  void deliver(VirtioPort port) {
    Virtqueue queue = queue(inputQueue(port.number()));
    if (!live() || !queue.isReady() || !port.guestOpen()) {
      return;
    }
    try {
      if (port.fill(queue)) {
        publish(queue);
      }
    } catch (VirtqueueException e) {
      fail(queue, e.getMessage());
    }
  }

  private void receiveMessages(Virtqueue queue) throws VirtqueueException {
    boolean used = false;
    for (Optional<VirtqueueElement> e = queue.pop(); e.isPresent(); e = queue.pop()) {
      byte[] bytes = e.get().readable().toBytes(0, ControlMessage.SIZE);
      if (bytes.length == ControlMessage.SIZE) {
        received(ControlMessage.parse(bytes));
      } else {
        guestError("control message of " + bytes.length + " bytes");
      }
      queue.push(e.get(), 0);
      used = true;
    }
    if (used) {
      publish(queue);
    }
  }

  private void received(ControlMessage message) {
    if (message.event() == ControlMessage.DEVICE_READY) {
      if (message.value() != 0) {
        for (VirtioPort port : ports) {
          if (port != null) {
            tell(port.number(), ControlMessage.DEVICE_ADD, 1, "");
          }
        }
      }
      return;
    }
    Optional<VirtioPort> found = port(message.port());
    if (found.isEmpty()) {
      guestError("control message " + message.event() + " for port " + Integer.toUnsignedString(message.port()));
      return;
    }
    VirtioPort port = found.get();
    switch (message.event()) {
      case ControlMessage.PORT_READY -> {
        if (message.value() != 0) {
          portReady(port);
        }
      }
      case ControlMessage.PORT_OPEN -> {
        port.setGuestOpen(message.value() != 0);
        deliver(port);
      }
      default -> guestError("control message " + message.event());
    }
  }

  private void portReady(VirtioPort port) {
    if (port.isConsole()) {
      tell(port.number(), ControlMessage.CONSOLE_PORT, 1, "");
      port.setGuestOpen(true);
    }
    if (!port.name().isEmpty()) {
      tell(port.number(), ControlMessage.PORT_NAME, 1, port.name());
    }
    port.setGuestReady();
    tellHostState(port);
  }

  /** Somebody came to, or left, the host's end of {@code port}. */
  void hostChanged(VirtioPort port) {
    lock().lock();
    try {
      tellHostState(port);
    } finally {
      lock().unlock();
    }
  }

  private void tellHostState(VirtioPort port) {
    boolean open = port.hostOpen();
    if (port.mustTell(open)) {
      // Only the last state counts for a driver that is slow to take messages.
      messages.removeIf(m -> isHostState(ControlMessage.parse(m), port));
      port.told(open);
      tell(port.number(), ControlMessage.PORT_OPEN, open ? 1 : 0, "");
    }
  }

  private static boolean isHostState(ControlMessage message, VirtioPort port) {
    return message.port() == port.number() && message.event() == ControlMessage.PORT_OPEN;
  }

  @Override
  protected void running() {
    for (VirtioPort port : ports) {
      if (port != null) {
        tellHostState(port);
      }
    }
  }

  private void tell(int port, int event, int value, String text) {
    if (messages.size() >= MOST_MESSAGES) {
      guestError("no buffers for control messages");
      return;
    }
    messages.add(new ControlMessage(port, event, value, text).toBytes());
    try {
      sendMessages();
    } catch (VirtqueueException e) {
      fail(queue(CONTROL_IN), e.getMessage());
    }
  }

  private void sendMessages() throws VirtqueueException {
    Virtqueue queue = queue(CONTROL_IN);
    boolean used = false;
    while (!messages.isEmpty() && live()) {
      Optional<VirtqueueElement> element = queue.pop();
      if (element.isEmpty()) {
        break;
      }
      byte[] message = messages.remove();
      queue.push(element.get(), element.get().writable().write(0, message, 0, message.length));
      used = true;
    }
    if (used) {
      publish(queue);
    }
  }

  @Override
  public Map<String, String> properties() {
    return Map.of("max_ports", Integer.toString(ports.length));
  }

  @Override
  protected void saveDevice(StateWriter out) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    long[] lengths = messages.stream().mapToLong(m -> m.length).toArray();
    messages.forEach(all::writeBytes);
    out.putLongs("messageLengths", lengths);
    out.putBytes("messages", all.toByteArray());
  }

  @Override
  protected void loadDevice(StateReader in, int version) throws StateException {
    long[] lengths = in.getLongs("messageLengths");
    byte[] all = in.getBytes("messages");
    int at = 0;
    for (long length : lengths) {
      if (length < 0 || length > all.length - at || lengths.length > MOST_MESSAGES) {
        throw new StateException("device " + id() + ": control messages do not fit their lengths");
      }
      messages.add(Arrays.copyOfRange(all, at, at + (int) length));
      at += (int) length;
    }
  }
}
