package org.ascus.launcher.monitor;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import org.ascus.devices.chardev.CharBackend;
import org.ascus.devices.chardev.CharReceiver;
import org.ascus.launcher.options.Version;
import org.ascus.polyglot.Vm;

/** The human monitor on a byte channel. Commands run on a thread of its own, so that input never waits for them. */
public final class Monitor implements CharReceiver {
  private static final String PROMPT = "(qemu) ";

  private final CharBackend channel;
  private final Commands commands;
  private final LineEditor editor;
  private final LinkedBlockingQueue<Runnable> work = new LinkedBlockingQueue<>();
  private final boolean shared;
  private volatile boolean greeted;
  private volatile boolean focused;
  private volatile boolean newPeer;

  /**
   * A monitor.
   *
   * @param name of the guest; may be empty
   * @param chardevs the host's ends of its byte channels
   * @param channel where it is used
   * @param shared whether others use the channel too: then it says nothing until it gets the focus
   */
  public Monitor(Vm vm, String name, Chardevs chardevs, CharBackend channel, boolean shared) {
    this.channel = channel;
    this.shared = shared;
    this.commands = new Commands(vm, name, chardevs);
    this.editor = new LineEditor(this::show, line -> work.add(() -> execute(line)), this::complete);
  }

  /** Begins to take input. */
  public void start() {
    Thread.ofPlatform().name("ascus-monitor").daemon().start(this::loop);
    if (!shared && !channel.hasPeers()) {
      greet(true);
    }
    focused = !shared;
    channel.connect(this);
  }

  private void greet(boolean whole) {
    if (whole) {
      greeted = true;
      show("Ascus " + Version.NUMBER + " monitor - type 'help' for more information\r\n");
    }
    show(PROMPT);
  }

  private void loop() {
    try {
      while (true) {
        work.take().run();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void execute(String line) {
    show(commands.execute(line).replace("\r\n", "\n").replace("\n", "\r\n") + PROMPT);
  }

  private String complete(String text) {
    List<String> names = commands.completions(text);
    if (names.isEmpty()) {
      return text;
    }
    String common = names.getFirst();
    for (String name : names) {
      while (!name.startsWith(common)) {
        common = common.substring(0, common.length() - 1);
      }
    }
    return names.size() == 1 ? common + " " : common;
  }

  private synchronized void show(String text) {
    byte[] data = text.getBytes(StandardCharsets.ISO_8859_1);
    channel.write(data, 0, data.length);
  }

  @Override
  public int canReceive() {
    return 256;
  }

  @Override
  public void receive(byte[] data, int offset, int length) {
    if (newPeer) {
      newPeer = false;
      editor.clear();
    }
    for (int i = offset; i < offset + length; i++) {
      editor.key(data[i] & 0xff);
    }
  }

  /** Who comes is greeted, and does not go on with the line of who left. */
  @Override
  public void peerChanged(boolean there) {
    newPeer = true;
    greeted = false;
    if (there && focused) {
      work.add(() -> greet(true));
    }
  }

  /** The channel's user turned to the monitor, or away from it. */
  @Override
  public void focusChanged(boolean now) {
    focused = now;
    if (focused) {
      show("\r\n");
      greet(!greeted);
    }
  }
}
