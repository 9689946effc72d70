package org.ascus.devices.virtio.console;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.ascus.devices.chardev.CharBackend;
import org.ascus.devices.chardev.CharReceiver;
import org.ascus.devices.virtio.GuestDriver;
import org.ascus.devices.virtio.VirtioContract;
import org.ascus.devices.virtio.VirtioDevice;
import org.ascus.devices.virtio.VirtioHost;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VirtioSerialTest extends VirtioContract {
  private static final long MULTIPORT = 2;

  private static final class Channel implements CharBackend {
    final ByteArrayOutputStream output = new ByteArrayOutputStream();
    Optional<CharReceiver> receiver = Optional.empty();
    int accepted;
    boolean peers;

    @Override
    public boolean hasPeers() {
      return peers;
    }

    @Override
    public void write(byte[] data, int offset, int length) {
      output.write(data, offset, length);
    }

    @Override
    public void connect(CharReceiver receiver) {
      this.receiver = Optional.of(receiver);
    }

    @Override
    public void acceptInput() {
      accepted++;
    }

    int room() {
      return receiver.orElseThrow().canReceive();
    }

    void type(String text) {
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      receiver.orElseThrow().receive(bytes, 0, bytes.length);
    }
  }

  private Channel console = new Channel();
  private Channel agent = new Channel();
  private VirtioPort consolePort;
  private VirtioPort agentPort;

  @Override
  protected VirtioDevice device(VirtioHost host) throws Exception {
    console = new Channel();
    agent = new Channel();
    VirtioSerial serial = new VirtioSerial("vser0", host, 4);
    consolePort = new VirtioPort("con0", true, "", Optional.of(console));
    serial.plug(consolePort, VirtioSerialBus.ANY);
    agentPort = new VirtioPort("agent0", false, "org.agent.0", Optional.of(agent));
    serial.plug(agentPort, VirtioSerialBus.ANY);
    return serial;
  }

  @Override
  protected int workQueue() {
    return 1;
  }

  @Override
  protected boolean writesWorkQueue() {
    return false;
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aDriverWithoutMultiplePortsTalksToPortZero(boolean legacy) throws Exception {
    GuestDriver d = driver(legacy);
    assertThat(console.room()).isZero();
    d.start(0);
    GuestDriver.Queue in = d.queue(0, 16);
    GuestDriver.Queue out = d.queue(1, 16);
    d.ready();
    out.add(d.out(d.bytes("hel".getBytes(StandardCharsets.UTF_8)), 3), d.out(d.bytes(new byte[] {'l', 'o'}), 2));
    out.kick();
    assertThat(out.await(1)).containsExactly(0L);
    assertThat(console.output).hasToString("hello");

    assertThat(console.room()).isPositive();
    console.type("abcdef");
    assertThat(in.usedIndex()).isZero();
    long small = d.alloc(4);
    long large = d.alloc(64);
    in.add(d.in(small, 4));
    in.add(d.in(large, 64));
    in.kick();
    assertThat(in.await(2)).containsExactly(4L, 2L);
    assertThat(text(d.bytesAt(small, 4)) + text(d.bytesAt(large, 2))).isEqualTo("abcdef");
    in.add(d.in(large, 64));
    in.kick();
    console.type("more");
    assertThat(in.await(1)).containsExactly(4L);
    assertThat(d.irq()).isTrue();
  }

  @Test
  void fullInputMakesTheChannelWait() throws Exception {
    GuestDriver d = driver(false);
    d.start(0);
    GuestDriver.Queue in = d.queue(0, 16);
    d.ready();
    int room = console.room();
    console.type("x".repeat(room));
    assertThat(console.room()).isZero();
    int before = console.accepted;
    in.add(d.in(d.alloc(100), 100));
    in.kick();
    assertThat(console.room()).isEqualTo(100);
    assertThat(console.accepted).isGreaterThan(before);
  }

  private static List<ControlMessage> messages(GuestDriver d, GuestDriver.Queue control, long[] buffers, int count) {
    List<ControlMessage> result = new ArrayList<>();
    List<Long> lengths = control.await(count);
    for (int i = 0; i < count; i++) {
      byte[] bytes = d.bytesAt(buffers[i], lengths.get(i).intValue());
      ControlMessage m = ControlMessage.parse(bytes);
      String name = text(java.util.Arrays.copyOfRange(bytes, ControlMessage.SIZE, bytes.length));
      result.add(new ControlMessage(m.port(), m.event(), m.value(), name));
    }
    return result;
  }

  private static long[] offer(GuestDriver d, GuestDriver.Queue control, int count) {
    long[] buffers = new long[count];
    for (int i = 0; i < count; i++) {
      buffers[i] = d.alloc(64);
      control.add(d.in(buffers[i], 64));
    }
    control.kick();
    return buffers;
  }

  private static void say(GuestDriver d, GuestDriver.Queue control, int port, int event, int value) {
    control.add(d.out(d.bytes(new ControlMessage(port, event, value, "").toBytes()), 8));
    control.kick();
    control.await(1);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void portsAreAnnouncedNamedAndOpened(boolean legacy) throws Exception {
    GuestDriver d = driver(legacy);
    assertThat(d.get(GuestDriver.SLOT + 0x104, 4)).isEqualTo(4);
    d.start(MULTIPORT);
    GuestDriver.Queue in = d.queue(2, 32);
    GuestDriver.Queue out = d.queue(3, 32);
    GuestDriver.Queue agentIn = d.queue(4, 16);
    GuestDriver.Queue agentOut = d.queue(5, 16);
    d.ready();
    long[] buffers = offer(d, in, 2);
    say(d, out, -1, ControlMessage.DEVICE_READY, 1);
    assertThat(messages(d, in, buffers, 2))
        .containsExactly(
            new ControlMessage(0, ControlMessage.DEVICE_ADD, 1, ""),
            new ControlMessage(1, ControlMessage.DEVICE_ADD, 1, ""));
    buffers = offer(d, in, 4);
    say(d, out, 0, ControlMessage.PORT_READY, 1);
    say(d, out, 1, ControlMessage.PORT_READY, 1);
    assertThat(messages(d, in, buffers, 4))
        .containsExactly(
            new ControlMessage(0, ControlMessage.CONSOLE_PORT, 1, ""),
            new ControlMessage(0, ControlMessage.PORT_OPEN, 1, ""),
            new ControlMessage(1, ControlMessage.PORT_NAME, 1, "org.agent.0"),
            new ControlMessage(1, ControlMessage.PORT_OPEN, 1, ""));

    assertThat(console.room()).isPositive();
    assertThat(agent.room()).isZero();
    say(d, out, 1, ControlMessage.PORT_OPEN, 1);
    assertThat(agent.room()).isPositive();
    long buffer = d.alloc(8);
    agentIn.add(d.in(buffer, 8));
    agent.type("ping");
    assertThat(agentIn.await(1)).containsExactly(4L);
    agentOut.add(d.out(d.bytes("pong".getBytes(StandardCharsets.UTF_8)), 4));
    agentOut.kick();
    agentOut.await(1);
    assertThat(agent.output).hasToString("pong");
    say(d, out, 99, ControlMessage.PORT_READY, 1);
    assertThat(d.log()).contains("port 99");
  }

  private static void awaitMessages(GuestDriver d, GuestDriver.Queue control, long[] buffers, int... values) {
    for (int i = 0; i < values.length; i++) {
      long[] next = {buffers[i]};
      assertThat(messages(d, control, next, 1))
          .containsExactly(new ControlMessage(1, ControlMessage.PORT_OPEN, values[i], ""));
    }
  }

  @Test
  void theDriverLearnsWhoComesAndGoesOnTheHost() throws Exception {
    GuestDriver d = driver(false);
    agent.peers = true;
    console.peers = true;
    d.start(MULTIPORT);
    GuestDriver.Queue in = d.queue(2, 32);
    GuestDriver.Queue out = d.queue(3, 32);
    d.ready();
    agent.receiver.orElseThrow().peerChanged(true);
    agent.receiver.orElseThrow().peerChanged(false);
    long[] buffers = offer(d, in, 3);
    say(d, out, 1, ControlMessage.PORT_READY, 1);
    say(d, out, 0, ControlMessage.PORT_READY, 1);
    assertThat(messages(d, in, buffers, 3))
        .containsExactly(
            new ControlMessage(1, ControlMessage.PORT_NAME, 1, "org.agent.0"),
            new ControlMessage(0, ControlMessage.CONSOLE_PORT, 1, ""),
            new ControlMessage(0, ControlMessage.PORT_OPEN, 1, ""));
    buffers = offer(d, in, 2);
    agent.receiver.orElseThrow().peerChanged(true);
    awaitMessages(d, in, buffers, 1);
    agent.receiver.orElseThrow().peerChanged(false);
    awaitMessages(d, in, new long[] {buffers[1]}, 0);
  }

  @Test
  void whatChangesWhileTheDriverTakesNothingIsToldOnce() throws Exception {
    GuestDriver d = driver(false);
    agent.peers = true;
    d.start(MULTIPORT);
    GuestDriver.Queue in = d.queue(2, 32);
    GuestDriver.Queue out = d.queue(3, 32);
    d.ready();
    long[] buffers = offer(d, in, 1);
    say(d, out, 1, ControlMessage.PORT_READY, 1);
    in.await(1);
    VirtioSerial serial = (VirtioSerial) d.device;
    for (int i = 0; i < 999; i++) {
      agent.receiver.orElseThrow().peerChanged(i % 2 == 0);
      serial.hostChanged(agentPort);
    }
    buffers = offer(d, in, 2);
    awaitMessages(d, in, buffers, 1);
    serial.hostChanged(agentPort);
    serial.resumed();
    assertThat(in.usedIndex()).isEqualTo(2);
    assertThat(agentPort.properties()).containsEntry("host", "on").containsEntry("guest", "off");
  }

  @Test
  void waitingInputAndMessagesSurviveASave() throws Exception {
    GuestDriver d = driver(false);
    d.start(MULTIPORT);
    d.queue(2, 32);
    GuestDriver.Queue out = d.queue(3, 32);
    d.ready();
    say(d, out, -1, ControlMessage.DEVICE_READY, 1);
    say(d, out, 0, ControlMessage.PORT_READY, 1);
    console.type("typed ahead");
    StateWriter first = new StateWriter();
    first.section(d.device);
    first.section(consolePort);
    GuestDriver other = new GuestDriver(false, this::device);
    try {
      StateReader reader = new StateReader(first.toByteArray());
      reader.section(other.device);
      reader.section(consolePort);
      StateWriter second = new StateWriter();
      second.section(other.device);
      second.section(consolePort);
      assertThat(second.toByteArray()).isEqualTo(first.toByteArray());
    } finally {
      other.close();
    }
  }

  @Test
  void portNumbersAreChecked() throws Exception {
    GuestDriver d = driver(false);
    VirtioSerial serial = (VirtioSerial) d.device;
    VirtioPort plain = new VirtioPort("p", false, "", Optional.empty());
    assertThatThrownBy(() -> serial.plug(plain, 1))
        .isInstanceOf(DeviceException.class)
        .hasMessageContaining("number 1");
    assertThatThrownBy(() -> serial.plug(plain, 0)).isInstanceOf(DeviceException.class);
    assertThatThrownBy(() -> serial.plug(plain, 4)).hasMessageContaining("4");
    serial.plug(plain, VirtioSerialBus.ANY);
    serial.plug(new VirtioPort("q", false, "", Optional.empty()), VirtioSerialBus.ANY);
    assertThatThrownBy(() -> serial.plug(new VirtioPort("r", false, "", Optional.empty()), VirtioSerialBus.ANY))
        .hasMessageContaining("no free port");
    assertThatThrownBy(() -> new VirtioSerial("x", VirtioHost.of(d.machine), 32)).hasMessageContaining("max_ports=32");
  }
}
