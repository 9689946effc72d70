package org.ascus.devices.net.user;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Two ends of TCP on a network that loses, repeats and reorders segments, in a time of its own. */
final class TcpPair {
  private static final long STEP = 1_000_000;
  private static final FlowKey KEY = new FlowKey(IpAddress.parse("10.0.2.15"), 1000, IpAddress.parse("10.0.2.2"), 80);

  /** One end: what it sends, what it got. */
  final class End implements TcpConnection.App, TcpConnection.Link {
    final TcpConnection tcp;
    final ByteArrayOutputStream got = new ByteArrayOutputStream();
    byte[] toSend = new byte[0];
    int given;
    int room = 1 << 16;
    int held;
    boolean slow;
    boolean finish;
    boolean opened;
    boolean ended;
    boolean broken;
    boolean closed;
    boolean blocked;
    int segments;
    End other;

    End(int first) {
      tcp = new TcpConnection(KEY, this, this, 1460, first);
    }

    void feed() {
      int more = Math.min(toSend.length - given, (1 << 16) - tcp.waiting());
      if (opened && more > 0) {
        tcp.send(toSend, given, more);
        given += more;
      }
      if (opened && finish && given == toSend.length) {
        tcp.finish();
      }
      tcp.output();
    }

    @Override
    public void opened() {
      opened = true;
    }

    @Override
    public int room() {
      return room - held;
    }

    @Override
    public void data(byte[] bytes, int start, int length) {
      got.write(bytes, start, length);
      held += slow ? length : 0;
    }

    void digest() {
      held = 0;
      tcp.roomChanged();
    }

    @Override
    public void ended() {
      ended = true;
    }

    @Override
    public void broken() {
      broken = true;
    }

    @Override
    public void sent() {}

    @Override
    public void endOfBatch() {}

    @Override
    public boolean clear(TcpConnection c) {
      return !blocked;
    }

    @Override
    public int largest(TcpConnection c) {
      return 5 * c.mss();
    }

    @Override
    public void send(
        TcpConnection c, int sequence, int flags, int window, boolean syn, ByteRing data, int from, int length) {
      byte[] bytes = new byte[length];
      data.copy(from, bytes, 0, length);
      int scale = syn && c.offersScale() ? TcpConnection.SCALE : -1;
      segments++;
      transmit(
          other,
          new TcpSegment(1, 2, sequence, (flags & TcpSegment.ACK) == 0 ? 0 : c.acknowledgement(), flags, window,
              syn ? 1460 : 0, scale, bytes, 0, length));
    }

    @Override
    public long now() {
      return now;
    }

    @Override
    public void closed(TcpConnection c) {
      closed = true;
    }
  }

  private record Flying(long arrives, End to, TcpSegment segment) {}

  final End guest;
  final End net;
  private final Random random;
  private final List<Flying> flying = new ArrayList<>();
  double loss;
  double repeat;
  double delay;
  long now = 1;

  TcpPair(int seed) {
    random = new Random(seed);
    guest = new End(random.nextInt());
    net = new End(random.nextInt());
    guest.other = net;
    net.other = guest;
  }

  private void transmit(End to, TcpSegment s) {
    for (int copies = random.nextDouble() < repeat ? 2 : 1; copies > 0; copies--) {
      if (random.nextDouble() >= loss) {
        long late = random.nextDouble() < delay ? random.nextInt(20) * STEP : 0;
        flying.add(new Flying(now + STEP + late, to, s));
      }
    }
  }

  /** Lets time go on until {@code done}, or 10 minutes are over. */
  void run(java.util.function.BooleanSupplier done) {
    for (long end = now + 600_000L * STEP; now < end && !done.getAsBoolean(); now += STEP) {
      List<Flying> arrived = flying.stream().filter(f -> f.arrives() <= now).toList();
      flying.removeAll(arrived);
      for (Flying f : arrived) {
        if (f.to().tcp.state() == null && f.segment().has(TcpSegment.SYN)) {
          f.to().tcp.asked(f.segment());
          f.to().tcp.accept();
        } else if (f.to().tcp.state() != null) {
          f.to().tcp.input(f.segment());
        }
      }
      for (End e : List.of(guest, net)) {
        if (e.tcp.state() != null) {
          e.feed();
          e.tcp.tick();
        }
      }
    }
  }
}
