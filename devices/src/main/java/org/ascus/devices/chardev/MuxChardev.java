package org.ascus.devices.chardev;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Several front ends on one back end: serial ports and the monitor share a terminal. Output of all goes out as it
 * comes; input goes to the one that has the focus. An escape key, Ctrl-a unless set otherwise, and a letter command the
 * multiplexer itself.
 *
 * <p>Lock order: a device's, then this one's, then the back end's. Receivers are called with none of them held.
 */
public final class MuxChardev implements AutoCloseable {
  /** Ctrl-a. */
  public static final int ESCAPE = 1;

  /** Front ends at most. */
  public static final int MOST_FRONTS = 4;

  /** What commands do that are not about front ends. Called on the back end's thread; returns at once. */
  public interface Control {
    /** End the emulator. */
    void quit();

    /** Write temporary changes of disks back. */
    default void commit() {}
  }

  private final CharBackend back;
  private final Control control;
  private final int escape;
  private final List<Front> fronts = new ArrayList<>();
  private int focus;
  private boolean escaped;
  private boolean timestamps;
  private long timestampStart;
  private boolean lineStart = true;
  private volatile boolean peerThere;

  public MuxChardev(CharBackend back, Control control) {
    this(back, control, ESCAPE);
  }

  /**
   * @param escape the character that starts a command
   */
  public MuxChardev(CharBackend back, Control control, int escape) {
    this.back = back;
    this.control = control;
    this.escape = escape;
  }

  /** Adds a front end; the first one has the focus. */
  public CharBackend addFront(String name) {
    Front front = new Front(name);
    boolean first;
    synchronized (this) {
      fronts.add(front);
      first = fronts.size() == 1;
    }
    if (first) {
      back.connect(new Back());
    }
    return front;
  }

  public synchronized int fronts() {
    return fronts.size();
  }

  private synchronized List<Front> allFronts() {
    return List.copyOf(fronts);
  }

  private synchronized Front focused() {
    return fronts.get(focus);
  }

  /** What the device of a front end is connected to. */
  private final class Front implements CharBackend {
    private final InputFeeder input;
    private volatile CharReceiver receiver = CharReceiver.NOBODY;

    Front(String name) {
      input = new InputFeeder(InputFeeder.thread(name), back::acceptInput);
    }

    @Override
    public void write(byte[] data, int offset, int length) {
      send(data, offset, length);
    }

    @Override
    public boolean hasRoom() {
      return back.hasRoom();
    }

    @Override
    public boolean hasPeers() {
      return back.hasPeers();
    }

    @Override
    public void connect(CharReceiver newReceiver) {
      receiver = newReceiver;
      if (peerThere) {
        newReceiver.peerChanged(true);
      }
      input.connect(newReceiver);
    }

    @Override
    public void acceptInput() {
      input.wake();
    }
  }

  private synchronized void send(byte[] data, int offset, int length) {
    if (!timestamps) {
      back.write(data, offset, length);
      lineStart = length > 0 ? data[offset + length - 1] == '\n' : lineStart;
      return;
    }
    int start = offset;
    for (int at = offset; at < offset + length; at++) {
      if (lineStart) {
        back.write(data, start, at - start);
        start = at;
        byte[] stamp = stamp().getBytes(StandardCharsets.US_ASCII);
        back.write(stamp, 0, stamp.length);
      }
      lineStart = data[at] == '\n';
    }
    back.write(data, start, offset + length - start);
  }

  private String stamp() {
    long millis = (System.nanoTime() - timestampStart) / 1_000_000;
    return String.format(
        Locale.ROOT,
        "[%02d:%02d:%02d.%03d] ",
        millis / 3_600_000,
        millis / 60_000 % 60,
        millis / 1000 % 60,
        millis % 1000);
  }

  /** What the back end is connected to. */
  private final class Back implements CharReceiver {
    @Override
    public int canReceive() {
      return focused().input.room();
    }

    @Override
    public void receive(byte[] data, int offset, int length) {
      int start = offset;
      for (int at = offset; at < offset + length; at++) {
        int value = data[at] & 0xff;
        if (escaped || value == escape) {
          focused().input.offer(data, start, at - start);
          start = at + 1;
          if (escaped) {
            command(value);
          }
          escaped = !escaped;
        }
      }
      focused().input.offer(data, start, offset + length - start);
    }

    @Override
    public void breakReceived() {
      focused().input.offerBreak();
    }

    @Override
    public void peerChanged(boolean there) {
      peerThere = there;
      allFronts().forEach(f -> f.receiver.peerChanged(there));
    }

    @Override
    public void canSend() {
      allFronts().forEach(f -> f.receiver.canSend());
    }
  }

  private void command(int key) {
    if (key == escape) {
      focused().input.offer(new byte[] {(byte) escape}, 0, 1);
      return;
    }
    switch (key) {
      case 'h', '?' -> help();
      case 'x' -> {
        say("\r\nascus: ended by the terminal\r\n");
        control.quit();
      }
      case 's' -> control.commit();
      case 'b' -> focused().input.offerBreak();
      case 'c' -> focusNext();
      case 't' -> toggleTimestamps();
      default -> {}
    }
  }

  /** Gives the input to the next front end. */
  public void focusNext() {
    Front left;
    Front entered;
    synchronized (this) {
      left = fronts.get(focus);
      focus = (focus + 1) % fronts.size();
      entered = fronts.get(focus);
    }
    if (left != entered) {
      left.receiver.focusChanged(false);
      entered.receiver.focusChanged(true);
    }
  }

  private synchronized void toggleTimestamps() {
    timestamps = !timestamps;
    timestampStart = System.nanoTime();
    lineStart = false;
  }

  private void help() {
    String key = escape < 32 ? "Ctrl-" + (char) (escape + 96) : String.valueOf((char) escape);
    say(
        String.join(
            "\r\n",
            "",
            key + " h    this list",
            key + " x    end the emulator",
            key + " s    write changes of temporary disks back",
            key + " t    times before lines of output on or off",
            key + " b    send a break",
            key + " c    switch between serial line and monitor",
            key + " " + key + "  send " + key,
            ""));
  }

  private synchronized void say(String text) {
    byte[] data = text.getBytes(StandardCharsets.US_ASCII);
    back.write(data, 0, data.length);
  }

  /** Closes the back end. */
  @Override
  public void close() {
    synchronized (this) {
      fronts.forEach(f -> f.input.close());
    }
    back.close();
  }
}
