package org.ascus.devices.virtio.vsock;

import io.netty.channel.Channel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.ascus.devices.virtio.VirtioDevice;
import org.ascus.devices.virtio.VirtioHost;
import org.ascus.devices.virtio.queue.Virtqueue;
import org.ascus.devices.virtio.queue.VirtqueueElement;
import org.ascus.devices.virtio.queue.VirtqueueException;
import org.ascus.devices.virtio.vsock.VsockConnection.Key;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;

/**
 * The virtio socket device (VIRTIO 1.2, section 5.10), streams only. Queues: receive, transmit, events. The host is
 * context 2; its ports are Unix sockets, see {@link VsockListener}. Connections and answers that the guest has no room
 * for are bounded; what exceeds the bounds is refused, or the transmit queue waits.
 *
 * <p>Connections do not survive the loading of a state: the guest is told so by an event.
 */
public final class VirtioVsock extends VirtioDevice {
  private static final int DEVICE_ID = 19;
  private static final int QUEUE_SIZE = 128;
  private static final int RECEIVE = 0;
  private static final int TRANSMIT = 1;
  private static final int EVENTS = 2;
  private static final int HOST = 2;
  private static final long LEAST_CID = 3;
  private static final long MOST_CID = 0xfffffffeL;
  private static final int FIRST_PORT = 1 << 30;
  private static final int MOST_CONNECTIONS = 1024;
  private static final int MOST_ANSWERS = 256;
  private static final int MOST_DATA = 64 << 10;

  private final long cid;
  private final VsockListener host;
  private final Path path;
  private final Map<Key, VsockConnection> connections = new LinkedHashMap<>();
  private final Deque<VsockPacket> answers = new ArrayDeque<>();
  private int nextPort = FIRST_PORT;
  private boolean quiet;
  private boolean resetEvent;
  private boolean delivering;

  /**
   * @param cid context of the guest, from 3 up
   * @param path where the host's programs connect
   */
  public VirtioVsock(String id, VirtioHost machine, long cid, Path path) throws DeviceException {
    super("virtio-vsock-device", id, machine, DEVICE_ID, QUEUE_SIZE, QUEUE_SIZE, QUEUE_SIZE);
    if (cid < LEAST_CID || cid > MOST_CID) {
      throw new DeviceException("guest-cid property must be greater than 2 and at most " + MOST_CID);
    }
    this.cid = cid;
    this.path = path;
    try {
      host = new VsockListener(path, this::asked);
    } catch (IOException e) {
      throw new DeviceException(e.getMessage(), e);
    }
  }

  void locked(Runnable body) {
    confined(body).run();
  }

  @Override
  protected long deviceFeatures() {
    return 0;
  }

  @Override
  protected byte[] configSpace() {
    return ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(cid).array();
  }

  @Override
  protected void deviceReset() {
    new ArrayList<>(connections.values()).forEach(VsockConnection::close);
    connections.clear();
    answers.clear();
  }

  @Override
  protected void queueNotified(Virtqueue queue) {
    if (quiet) {
      return;
    }
    switch (queue.index()) {
      case RECEIVE -> deliver();
      case TRANSMIT -> take();
      default -> sendEvent();
    }
  }

  // From the host.

  private void asked(Channel channel, int guestPort) {
    locked(
        () -> {
          Key key = new Key(guestPort, nextPort);
          if (!live() || connections.size() >= MOST_CONNECTIONS || connections.containsKey(key)) {
            channel.close();
            return;
          }
          nextPort = nextPort == Integer.MAX_VALUE ? FIRST_PORT : nextPort + 1;
          VsockConnection connection = new VsockConnection(this, key, true);
          channel.pipeline().addLast(connection);
          connections.put(key, connection);
          tell(connection, VsockPacket.REQUEST, 0);
        });
  }

  // From the guest.

  /** Takes packets as long as there is room for what has to be answered. */
  private void take() {
    Virtqueue queue = queue(TRANSMIT);
    try {
      boolean used = false;
      while (answers.size() < MOST_ANSWERS && live()) {
        Optional<VirtqueueElement> element = queue.pop();
        if (element.isEmpty()) {
          break;
        }
        received(element.get());
        queue.push(element.get(), 0);
        used = true;
      }
      if (used) {
        publish(queue);
      }
    } catch (VirtqueueException e) {
      fail(queue, e.getMessage());
    }
    deliver();
  }

  private void received(VirtqueueElement element) {
    byte[] header = element.readable().toBytes(0, VsockPacket.HEADER);
    if (header.length < VsockPacket.HEADER) {
      guestError("packet of " + header.length + " bytes");
      return;
    }
    VsockPacket packet = VsockPacket.parse(header);
    long data = element.readable().size() - VsockPacket.HEADER;
    if (packet.source() != cid || packet.length() < 0 || packet.length() > data) {
      guestError("packet from context " + packet.source() + " with " + packet.length() + " of " + data + " bytes");
      return;
    }
    Key key = new Key(packet.sourcePort(), packet.targetPort());
    VsockConnection connection = connections.get(key);
    if (packet.target() != HOST || packet.type() != VsockPacket.STREAM
        || connection == null && packet.operation() != VsockPacket.REQUEST) {
      if (packet.operation() != VsockPacket.RESET) {
        refuse(packet);
      }
      return;
    }
    if (connection == null) {
      connect(key, packet);
      return;
    }
    connection.takeCredit(packet);
    byte[] bytes = packet.operation() == VsockPacket.DATA && packet.length() <= VsockConnection.WINDOW
        ? element.readable().toBytes(VsockPacket.HEADER, packet.length())
        : new byte[0];
    received(connection, packet, bytes);
  }

  private void received(VsockConnection connection, VsockPacket packet, byte[] data) {
    switch (packet.operation()) {
      case VsockPacket.RESPONSE -> {
        if (connection.awaitsGuest()) {
          connection.open();
        } else {
          abort(connection);
        }
      }
      case VsockPacket.RESET -> forget(connection);
      case VsockPacket.SHUTDOWN -> {
        if (!connection.isOpen()) {
          abort(connection);
        } else if (connection.shutdown(packet.flags())) {
          tell(connection, VsockPacket.RESET, 0);
          connections.remove(connection.key());
        }
      }
      case VsockPacket.DATA -> {
        if (!connection.isOpen() || data.length != packet.length() || !connection.data(data)) {
          abort(connection);
        }
      }
      case VsockPacket.CREDIT_UPDATE -> {}
      case VsockPacket.CREDIT_REQUEST -> tell(connection, VsockPacket.CREDIT_UPDATE, 0);
      default -> abort(connection);
    }
  }

  private void connect(Key key, VsockPacket packet) {
    if (connections.size() >= MOST_CONNECTIONS) {
      refuse(packet);
      return;
    }
    VsockConnection connection = new VsockConnection(this, key, false);
    connection.takeCredit(packet);
    connections.put(key, connection);
    host.connect(
        packet.targetPort(),
        connection,
        done ->
            locked(
                () -> {
                  if (connections.get(key) != connection) {
                    connection.close();
                  } else if (done) {
                    connection.open();
                    tell(connection, VsockPacket.RESPONSE, 0);
                  } else {
                    abort(connection);
                  }
                }));
  }

  private void refuse(VsockPacket packet) {
    answer(
        new VsockPacket(
            packet.target(), cid, packet.targetPort(), packet.sourcePort(), 0, packet.type(), VsockPacket.RESET, 0, 0,
            0));
  }

  private void abort(VsockConnection connection) {
    tell(connection, VsockPacket.RESET, 0);
    forget(connection);
  }

  private void forget(VsockConnection connection) {
    connections.remove(connection.key());
    connection.close();
  }

  // To the guest.

  /** Tells the guest something about a connection. */
  void tell(VsockConnection connection, int operation, int flags) {
    answer(packet(connection, 0, operation, flags));
  }

  private VsockPacket packet(VsockConnection connection, int length, int operation, int flags) {
    Key key = connection.key();
    return new VsockPacket(
        HOST, cid, key.hostPort(), key.guestPort(), length, VsockPacket.STREAM, operation, flags,
        VsockConnection.WINDOW, connection.consumedNow());
  }

  /** There is always room: what the guest sends waits, and connections of the host are bounded in number. */
  private void answer(VsockPacket packet) {
    answers.add(packet);
    deliver();
  }

  /** Gives the guest answers first, then data of the connections in turn, as far as it has room. */
  void deliver() {
    Virtqueue queue = queue(RECEIVE);
    if (delivering || quiet || !live() || !queue.isReady()) {
      return;
    }
    delivering = true;
    try {
      boolean wasFull = answers.size() >= MOST_ANSWERS;
      boolean used = false;
      Optional<VsockConnection> next = next();
      while (!answers.isEmpty() || next.isPresent()) {
        Optional<VirtqueueElement> element = queue.pop();
        if (element.isEmpty()) {
          break;
        }
        queue.push(element.get(), answers.isEmpty() ? data(element.get(), next.get()) : answer(element.get()));
        used = true;
        next = next();
      }
      if (used) {
        publish(queue);
      }
      if (wasFull && answers.size() < MOST_ANSWERS) {
        notifyQueue(TRANSMIT);
      }
    } catch (VirtqueueException e) {
      fail(queue, e.getMessage());
    } finally {
      delivering = false;
    }
  }

  private Optional<VsockConnection> next() {
    return connections.values().stream().filter(VsockConnection::hasOutput).findFirst();
  }

  private long answer(VirtqueueElement element) {
    byte[] header = answers.remove().toBytes();
    return element.writable().write(0, header, 0, header.length);
  }

  private long data(VirtqueueElement element, VsockConnection connection) throws VirtqueueException {
    int room = (int) Math.min(element.writable().size() - VsockPacket.HEADER, MOST_DATA);
    if (room < 1) {
      throw new VirtqueueException("buffer of " + element.writable().size() + " bytes");
    }
    byte[] data = connection.output(room);
    boolean end = data.length == 0;
    VsockPacket packet =
        packet(
            connection,
            data.length,
            end ? VsockPacket.SHUTDOWN : VsockPacket.DATA,
            end ? connection.shutdownTold() : 0);
    element.writable().write(0, packet.toBytes(), 0, VsockPacket.HEADER);
    element.writable().write(VsockPacket.HEADER, data, 0, data.length);
    // The next one has its turn.
    connections.remove(connection.key());
    if (!connection.isDone()) {
      connections.put(connection.key(), connection);
    } else {
      connection.close();
    }
    return VsockPacket.HEADER + data.length;
  }

  private void sendEvent() {
    Virtqueue queue = queue(EVENTS);
    try {
      Optional<VirtqueueElement> element = resetEvent && live() ? queue.pop() : Optional.empty();
      if (element.isPresent()) {
        resetEvent = false;
        queue.push(element.get(), element.get().writable().write(0, new byte[4], 0, 4));
        publish(queue);
      }
    } catch (VirtqueueException e) {
      fail(queue, e.getMessage());
    }
  }

  @Override
  public void quiesce() {
    locked(() -> quiet = true);
  }

  @Override
  protected void running() {
    quiet = false;
    for (int i = 0; i < queueCount(); i++) {
      notifyIfReady(i);
    }
  }

  private void notifyIfReady(int index) {
    if (queue(index).isReady()) {
      notifyQueue(index);
    }
  }

  @Override
  public void close() {
    locked(this::deviceReset);
    host.close();
  }

  @Override
  public Map<String, String> properties() {
    return Map.of("guest-cid", Long.toString(cid), "socket", path.toString());
  }

  @Override
  protected void saveDevice(StateWriter out) {
    out.putLong("cid", cid);
  }

  @Override
  protected void loadDevice(StateReader in, int version) throws StateException {
    if (in.getLong("cid") != cid) {
      throw new StateException("device " + id() + " has context " + cid + ", the state is for " + in.getLong("cid"));
    }
    resetEvent = true;
  }
}
