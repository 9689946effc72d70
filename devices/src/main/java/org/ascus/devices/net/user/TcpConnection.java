package org.ascus.devices.net.user;

import io.netty.buffer.ByteBuf;

/**
 * One TCP connection with the guest (RFC 9293), seen from the network: what the guest sends goes to the {@link App},
 * what the app sends is kept until the guest acknowledged it.
 *
 * <p>The link to the guest loses next to nothing and reorders nothing, so there is no congestion window until something
 * was lost, and data that comes before its turn is dropped for the guest to send again. Window scaling (RFC 7323) and
 * fast retransmission with partial acknowledgements (RFC 6582) are there, selective acknowledgements and time stamps
 * are not. Round trips are measured as in RFC 6298.
 */
final class TcpConnection {
  /** How far the connection is. */
  enum State {
    /** The guest asked; the app has not answered. */
    ASKED,
    /** The guest was asked. */
    SYN_SENT,
    /** The guest asked and was answered. */
    SYN_RECEIVED,
    /** Data flows; how far each direction is closed is told apart by fields. */
    OPEN,
    CLOSED
  }

  /** The link to the guest. */
  interface Link {
    /** Whether data may be sent now; if not, {@link #output} is called when it may. */
    boolean clear(TcpConnection c);

    /** Most bytes of data in a segment now. */
    int largest(TcpConnection c);

    /**
     * Sends a segment.
     *
     * @param window as it stands in the header
     * @param syn carries the options of a SYN; no data then
     * @param from the first byte of data in {@code data}
     */
    void send(TcpConnection c, int sequence, int flags, int window, boolean syn, ByteRing data, int from, int length);

    /** Nanoseconds from some origin. */
    long now();

    /** The connection is over and may be forgotten. */
    void closed(TcpConnection c);
  }

  /** The other end of what the guest says. */
  interface App {
    /** The guest answered: data may be sent. */
    void opened();

    /** Bytes that it takes now; a promise that holds until they came. */
    int room();

    /** Takes bytes, which stay as they are. */
    void data(byte[] bytes, int start, int length);

    /** The guest sends no more. */
    void ended();

    /** The guest, or time, ended the connection in disorder. */
    void broken();

    /** Some of what was to be sent is. */
    void sent();

    /** No more {@link #data} for now; the guest has not been answered yet. */
    void endOfBatch();
  }

  /** Shift of our window: 16 bits of it reach up to 512 KiB. */
  static final int SCALE = 3;

  private static final int DEFAULT_MSS = 536;
  private static final int NO_LIMIT = Integer.MAX_VALUE / 2;
  private static final long MILLIS = 1_000_000;
  private static final long MIN_TIMEOUT = 200 * MILLIS;
  private static final long FIRST_TIMEOUT = 1000 * MILLIS;
  private static final long MAX_TIMEOUT = 60_000 * MILLIS;
  private static final long LINGER = 1000 * MILLIS;
  private static final int MAX_RETRIES = 12;
  private static final int WINDOW_STEP = 65536;
  private static final long NEVER = Long.MAX_VALUE;

  private final Link link;
  private final App app;
  private final FlowKey key;
  private final int mtuMss;
  private final ByteRing out = new ByteRing();
  private State state;

  private final int first;
  private int unacknowledged;
  private int next;
  private int highest;
  private long guestWindow;
  private int windowSequence;
  private int windowAcknowledged;
  private int guestScale;
  private int scale;
  private int mss;
  private boolean finishing;
  private boolean finAcknowledged;

  private int received;
  private int edge;
  private boolean finReceived;
  private boolean answerNow;

  private long congestion = NO_LIMIT;
  private int duplicates;
  private boolean recovering;
  private int recoverTo;
  private int retries;
  private long deadline = NEVER;
  private long timeout = FIRST_TIMEOUT;
  private long smoothed = -1;
  private long variation;
  private boolean timing;
  private int timedSequence;
  private long timedAt;

  /**
   * @param mtuMss most bytes of data in a packet of the network
   * @param first initial sequence number
   */
  TcpConnection(FlowKey key, Link link, App app, int mtuMss, int first) {
    this.key = key;
    this.link = link;
    this.app = app;
    this.mtuMss = mtuMss;
    this.mss = Math.min(mtuMss, DEFAULT_MSS);
    this.first = first;
    this.unacknowledged = first;
    this.next = first;
    this.highest = first;
  }

  FlowKey key() {
    return key;
  }

  State state() {
    return state;
  }

  /** Data bytes in a packet, as both ends take them. */
  int mss() {
    return mss;
  }

  int acknowledgement() {
    return received;
  }

  App app() {
    return app;
  }

  /** Bytes that wait to be sent or acknowledged. */
  int waiting() {
    return out.size();
  }

  /** Whether each side said that it sends no more. */
  String phase() {
    return switch (state) {
      case ASKED -> "SYN_RCVD";
      case SYN_SENT -> "SYN_SENT";
      case SYN_RECEIVED -> "SYN_RCVD";
      case OPEN -> finReceived ? finishing ? "LAST_ACK" : "CLOSE_WAIT" : finishing ? "FIN_WAIT" : "ESTABLISHED";
      case CLOSED -> "CLOSED";
    };
  }

  /** Asks the guest for a connection. */
  void open() {
    state = State.SYN_SENT;
    next = first + 1;
    highest = next;
    sendSyn();
    arm();
  }

  /** The guest asks: its SYN. */
  void asked(TcpSegment s) {
    state = State.ASKED;
    takeSyn(s);
  }

  private void takeSyn(TcpSegment s) {
    received = s.sequence() + 1;
    edge = received;
    mss = Math.min(mtuMss, s.mss() == 0 ? DEFAULT_MSS : Math.max(s.mss(), 64));
    boolean scaled = s.scale() >= 0;
    guestScale = scaled ? s.scale() : 0;
    scale = scaled ? SCALE : 0;
    guestWindow = s.window();
    windowSequence = s.sequence();
    windowAcknowledged = s.acknowledged();
  }

  /** Answers the guest's question. */
  void accept() {
    state = State.SYN_RECEIVED;
    next = first + 1;
    highest = next;
    sendSyn();
    arm();
  }

  private void sendSyn() {
    boolean answer = state == State.SYN_RECEIVED;
    int window = Math.min(app.room(), 65535);
    if (answer) {
      edge = later(edge, received + window);
    }
    // The option stands in an answer only where the question had it; scale 0 stands for its absence here.
    link.send(this, first, TcpSegment.SYN | (answer ? TcpSegment.ACK : 0), window, true, out, 0, 0);
  }

  /** Whether a SYN of ours names a scale. */
  boolean offersScale() {
    return state == State.SYN_SENT || scale > 0;
  }

  /** Sends bytes; the app minds {@link #waiting}. */
  void send(ByteBuf data) {
    if (state != State.CLOSED && !finishing) {
      out.add(data);
    }
  }

  /** As {@link #send(ByteBuf)}. */
  void send(byte[] data, int start, int length) {
    if (state != State.CLOSED && !finishing) {
      out.add(data, start, length);
    }
  }

  /** The app sends no more. */
  void finish() {
    finishing = true;
  }

  /** Ends the connection in disorder; the guest is told. */
  void reset() {
    if (state != State.CLOSED) {
      link.send(this, next, TcpSegment.RST | TcpSegment.ACK, 0, false, out, 0, 0);
      close();
    }
  }

  private void close() {
    state = State.CLOSED;
    deadline = NEVER;
    out.drop(out.size());
    link.closed(this);
  }

  /** Whether both sides are done and only a repeated last segment could still come. */
  boolean lingers() {
    return state == State.OPEN && finAcknowledged && finReceived;
  }

  /** Ends the connection without a word to anyone. */
  void forget() {
    close();
  }

  private void breakDown() {
    close();
    app.broken();
  }

  /** The app takes more than it did: the guest learns of it when that is worth a packet. */
  void roomChanged() {
    if (state != State.OPEN || finReceived) {
      return;
    }
    int promised = edge - received;
    int room = app.room();
    if (room - promised >= WINDOW_STEP || promised < 2 * mss && room > promised) {
      answerNow = true;
      output();
    }
  }

  // Segments from the guest.

  /** Takes a segment; the answer goes out with the next {@link #output}. */
  void input(TcpSegment s) {
    switch (state) {
      case SYN_SENT -> inputSynSent(s);
      case ASKED -> {
        if (s.has(TcpSegment.RST) && s.sequence() == received) {
          breakDown();
        }
      }
      case SYN_RECEIVED, OPEN -> inputOpen(s);
      case CLOSED -> {}
    }
  }

  private void inputSynSent(TcpSegment s) {
    boolean ours = s.has(TcpSegment.ACK) && s.acknowledged() == next;
    if (s.has(TcpSegment.RST)) {
      if (ours) {
        breakDown();
      }
      return;
    }
    if (!s.has(TcpSegment.SYN) || !ours) {
      return;
    }
    takeSyn(s);
    unacknowledged = next;
    opened();
    answerNow = true;
  }

  private void opened() {
    state = State.OPEN;
    deadline = NEVER;
    retries = 0;
    timeout = FIRST_TIMEOUT;
    app.opened();
  }

  private void inputOpen(TcpSegment s) {
    int offset = s.sequence() - received;
    boolean repeatedSyn = state == State.SYN_RECEIVED && s.has(TcpSegment.SYN) && offset == -1;
    if (repeatedSyn) {
      sendSyn();
      return;
    }
    if (!acceptable(s, offset)) {
      // Also the answer to a probe of a closed window, or to what asks whether we are still there.
      answerNow |= !s.has(TcpSegment.RST);
      return;
    }
    if (s.has(TcpSegment.RST)) {
      if (offset == 0) {
        breakDown();
      } else {
        answerNow = true;
      }
      return;
    }
    if (s.has(TcpSegment.SYN)) {
      answerNow = true;
      return;
    }
    if (s.has(TcpSegment.ACK) && inputAcknowledgement(s)) {
      inputData(s, offset);
    }
  }

  private boolean acceptable(TcpSegment s, int offset) {
    int window = edge - received;
    if (s.span() == 0) {
      return offset == 0 || offset >= 0 && offset < window;
    }
    return offset < window && offset + s.span() > 0 || offset == 0 && s.length() == 0;
  }

  private boolean inputAcknowledgement(TcpSegment s) {
    int ack = s.acknowledged();
    if (ack - highest > 0) {
      answerNow = true;
      return false;
    }
    if (state == State.SYN_RECEIVED) {
      if (ack != next) {
        return false;
      }
      unacknowledged = ack;
      takeWindow(s);
      opened();
      return state == State.OPEN;
    }
    if (ack - unacknowledged > 0) {
      acknowledge(ack);
    } else if (ack == unacknowledged && s.span() == 0 && highest != unacknowledged
        && (long) s.window() << guestScale == guestWindow) {
      duplicates++;
      if (duplicates == 3 && !recovering) {
        recovering = true;
        recoverTo = highest;
        sendAgain();
      }
    }
    takeWindow(s);
    return state == State.OPEN;
  }

  private void takeWindow(TcpSegment s) {
    int later = s.sequence() - windowSequence;
    if (later > 0 || later == 0 && s.acknowledged() - windowAcknowledged >= 0) {
      guestWindow = (long) s.window() << guestScale;
      windowSequence = s.sequence();
      windowAcknowledged = s.acknowledged();
    }
  }

  private void acknowledge(int ack) {
    int count = ack - unacknowledged;
    int data = Math.min(count, out.size());
    finAcknowledged |= count > data;
    out.drop(data);
    unacknowledged = ack;
    if (next - ack < 0) {
      next = ack;
    }
    retries = 0;
    duplicates = 0;
    if (congestion < NO_LIMIT) {
      congestion += count;
    }
    measure(ack);
    if (recovering) {
      if (ack - recoverTo >= 0) {
        recovering = false;
      } else {
        sendAgain();
      }
    }
    deadline = NEVER;
    app.sent();
    if (lingers()) {
      // The guest may still ask again for our last answer.
      deadline = link.now() + LINGER;
    }
  }

  private void measure(int ack) {
    if (timing && ack - timedSequence >= 0) {
      timing = false;
      long sample = link.now() - timedAt;
      if (smoothed < 0) {
        smoothed = sample;
        variation = sample / 2;
      } else {
        variation += (Math.abs(smoothed - sample) - variation) / 4;
        smoothed += (sample - smoothed) / 8;
      }
    }
    // Also ends what a loss made of it: the link is not a crowded one.
    timeout = smoothed < 0 ? FIRST_TIMEOUT : Math.clamp(smoothed + 4 * variation, MIN_TIMEOUT, MAX_TIMEOUT);
  }

  private void inputData(TcpSegment s, int offset) {
    int skip = Math.max(0, -offset);
    if (offset > 0) {
      answerNow |= s.span() > 0;
      return;
    }
    int length = Math.min(s.length() - skip, edge - received);
    boolean whole = length == s.length() - skip;
    if (length > 0) {
      received += length;
      answerNow = true;
      app.data(s.bytes(), s.start() + skip, length);
    }
    if (s.has(TcpSegment.FIN) && whole) {
      answerNow = true;
      if (!finReceived) {
        finReceived = true;
        received++;
        edge = later(edge, received);
        app.ended();
        if (finAcknowledged) {
          deadline = link.now() + LINGER;
        }
      }
    }
  }

  // Segments to the guest.

  /** Sends what may be sent now, and an answer if the guest waits for one. */
  void output() {
    if (state != State.OPEN) {
      return;
    }
    sendData();
    if (answerNow && state == State.OPEN) {
      sendPlain(next, 0, 0, 0);
    }
    arm();
  }

  private void sendData() {
    while (true) {
      int queued = out.size();
      int sent = Math.min(next - unacknowledged, queued);
      int allowed = (int) Math.min(Math.min(guestWindow, congestion), queued) - sent;
      boolean finUnsent = finishing && next - unacknowledged <= queued;
      if (allowed <= 0 && !(finUnsent && sent == queued)) {
        return;
      }
      if (!link.clear(this)) {
        return;
      }
      int length = Math.min(Math.max(allowed, 0), link.largest(this));
      if (length < mss && sent + length < queued && sent > 0) {
        // The rest of the window is not worth a packet.
        return;
      }
      boolean fin = finUnsent && sent + length == queued;
      int at = next;
      next += length + (fin ? 1 : 0);
      if (next - highest > 0) {
        highest = next;
        if (!timing) {
          timing = true;
          timedSequence = next;
          timedAt = link.now();
        }
      }
      int push = sent + length == queued ? TcpSegment.PSH : 0;
      sendPlain(at, push | (fin ? TcpSegment.FIN : 0), sent, length);
    }
  }

  /** Sends the first packet that the guest has not acknowledged once more. */
  private void sendAgain() {
    timing = false;
    int length = Math.min(mss, out.size());
    boolean fin = finishing && length == out.size();
    if (length > 0 || fin) {
      sendPlain(unacknowledged, TcpSegment.PSH | (fin ? TcpSegment.FIN : 0), 0, length);
      next = later(next, unacknowledged + length + (fin ? 1 : 0));
      highest = later(highest, next);
    }
  }

  private void sendPlain(int sequence, int flags, int from, int length) {
    answerNow = false;
    int room = finReceived ? 0 : Math.max(app.room(), edge - received);
    int window = Math.min(room >>> scale, 65535);
    edge = later(edge, received + (window << scale));
    link.send(this, sequence, flags | TcpSegment.ACK, window, false, out, from, length);
  }

  private static int later(int a, int b) {
    return b - a > 0 ? b : a;
  }

  // Time.

  private void arm() {
    boolean owed = state == State.SYN_SENT || state == State.SYN_RECEIVED
        || state == State.OPEN && (highest != unacknowledged || out.size() > 0 || finishing && !finAcknowledged);
    if (owed && deadline == NEVER) {
      deadline = link.now() + timeout;
    }
  }

  /** Looks at the clock; to be called every now and then. */
  void tick() {
    if (deadline - link.now() > 0 || state == State.CLOSED) {
      return;
    }
    deadline = NEVER;
    if (lingers()) {
      close();
      return;
    }
    if (!link.clear(this)) {
      // It is our own queue that holds things up, not the guest.
      deadline = link.now() + timeout;
      return;
    }
    retries++;
    if (retries > MAX_RETRIES) {
      reset();
      app.broken();
      return;
    }
    timeout = Math.min(timeout * 2, MAX_TIMEOUT);
    timing = false;
    switch (state) {
      case SYN_SENT, SYN_RECEIVED -> sendSyn();
      case OPEN -> repeat();
      default -> {}
    }
    arm();
  }

  private void repeat() {
    recovering = false;
    duplicates = 0;
    if (guestWindow == 0 && out.size() > 0) {
      // A probe: one byte that the guest has no room for makes it say when it has.
      sendPlain(unacknowledged, 0, 0, 1);
      next = later(next, unacknowledged + 1);
      highest = later(highest, next);
      return;
    }
    next = unacknowledged;
    congestion = 4L * mss;
    output();
  }
}
