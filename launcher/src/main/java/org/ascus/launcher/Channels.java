package org.ascus.launcher;

import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.ascus.devices.chardev.CharBackend;
import org.ascus.devices.chardev.HostFile;
import org.ascus.devices.chardev.LoggedChardev;
import org.ascus.devices.chardev.MuxChardev;
import org.ascus.devices.chardev.NullChardev;
import org.ascus.devices.chardev.PseudoTerminal;
import org.ascus.devices.chardev.ReplaceableChardev;
import org.ascus.devices.chardev.RingChardev;
import org.ascus.devices.chardev.StdioChardev;
import org.ascus.devices.chardev.socket.SocketChardev;
import org.ascus.devices.chardev.socket.SocketOptions;
import org.ascus.devices.chardev.socket.UdpChardev;
import org.ascus.launcher.monitor.Chardevs;
import org.ascus.launcher.options.ChannelArguments;
import org.ascus.launcher.options.CharOptions;
import org.ascus.launcher.options.ChardevOptions;
import org.ascus.launcher.options.OptionException;
import org.ascus.launcher.options.SecurityObjects;
import org.ascus.machine.device.DeviceException;

/** The host's ends of all byte channels of a machine, opened as they are asked for. */
final class Channels implements Chardevs, AutoCloseable {
  private final Map<String, ChardevOptions> named;
  private final SecurityObjects security;
  private final MuxChardev.Control control;
  private final PrintStream notes;
  private final Map<String, Opened> opened = new LinkedHashMap<>();
  private final Map<String, MuxChardev> muxes = new LinkedHashMap<>();
  private final Set<String> used = new HashSet<>();
  private final Map<String, String> terminals = new LinkedHashMap<>();

  /** A channel, and what is behind it now. */
  private record Opened(ReplaceableChardev channel, CharOptions kind, CharBackend end) {}

  /**
   * Nothing is opened yet.
   *
   * @param named channels by id
   * @param security what guards them
   * @param control what the multiplexer's keys do
   * @param notes what the user must be told
   */
  Channels(
      Map<String, ChardevOptions> named, SecurityObjects security, MuxChardev.Control control, PrintStream notes) {
    this.named = new LinkedHashMap<>(named);
    this.security = security;
    this.control = control;
    this.notes = notes;
  }

  /** A channel for one user of it, who is called {@code user}. */
  synchronized CharBackend open(CharOptions options, String user) throws OptionException {
    if (!(options instanceof CharOptions.Reference(String id))) {
      return make(new ChardevOptions("-chardev " + user, user, options, false)).channel();
    }
    prepare(id);
    try {
      return front(id, user);
    } catch (DeviceException e) {
      throw new OptionException(e.getMessage());
    }
  }

  /** Opens the channel {@code id} if it is not: a server listens even while nobody uses what it gets. */
  synchronized void prepare(String id) throws OptionException {
    ChardevOptions chardev = named.get(id);
    if (!opened.containsKey(id)) {
      Opened made = make(chardev);
      if (chardev.mux()) {
        muxes.put(id, new MuxChardev(made.channel(), control));
      }
    }
  }

  @Override
  public synchronized CharBackend front(String id, String user) throws DeviceException {
    MuxChardev mux = muxes.get(id);
    if (mux == null ? !used.add(id) : mux.fronts() == MuxChardev.MOST_FRONTS) {
      throw new DeviceException("Property 'chardev' can't take value '" + id + "': Device '" + id + "' is in use");
    }
    return mux == null ? opened.get(id).channel() : mux.addFront(user);
  }

  /** Whether several users share the channel. */
  synchronized boolean isShared(CharOptions options) {
    return options instanceof CharOptions.Reference(String id) && named.get(id).mux();
  }

  @Override
  public synchronized String add(String argument) throws OptionException {
    ChardevOptions chardev = ChannelArguments.parse("chardev-add", argument);
    String id = chardev.id();
    if (opened.containsKey(id)) {
      throw new OptionException("Chardev with id '" + id + "' already exists");
    }
    named.put(id, chardev);
    try {
      prepare(id);
    } catch (OptionException e) {
      named.remove(id);
      throw e;
    }
    return id;
  }

  @Override
  public synchronized void remove(String id) throws OptionException {
    Opened found = find(id, "not found");
    MuxChardev mux = muxes.get(id);
    // What has no name of its own is the serial line or monitor that it was made for.
    if (mux == null ? used.contains(id) || !named.containsKey(id) : mux.fronts() > 0) {
      throw new OptionException("Chardev '" + id + "' is busy");
    }
    if (mux != null) {
      mux.close();
      muxes.remove(id);
    }
    found.channel().close();
    opened.remove(id);
    named.remove(id);
    terminals.remove(id);
  }

  @Override
  public synchronized void change(String id, String argument) throws OptionException {
    Opened before = find(id, "does not exist");
    if (muxes.containsKey(id)) {
      throw new OptionException("Mux device hotswap not supported yet");
    }
    ChardevOptions chardev = ChannelArguments.parse("chardev-change", argument + ",id=" + id);
    if (chardev.mux()) {
      throw new OptionException("Mux device hotswap not supported yet");
    }
    CharBackend end = end(chardev);
    before.channel().replace(logged(chardev, end));
    opened.put(id, new Opened(before.channel(), chardev.kind(), end));
  }

  @Override
  public void sendBreak(String id) throws OptionException {
    Opened found;
    synchronized (this) {
      found = find(id, "not found");
    }
    found.channel().sendBreak();
  }

  private Opened find(String id, String otherwise) throws OptionException {
    Opened found = opened.get(id);
    if (found == null) {
      throw new OptionException("Chardev '" + id + "' " + otherwise);
    }
    return found;
  }

  private Opened make(ChardevOptions chardev) throws OptionException {
    CharBackend end = end(chardev);
    Opened made = new Opened(new ReplaceableChardev(logged(chardev, end)), chardev.kind(), end);
    opened.put(chardev.id(), made);
    return made;
  }

  private CharBackend end(ChardevOptions chardev) throws OptionException {
    try {
      return open(chardev.kind(), chardev.id(), notes);
    } catch (IOException e) {
      throw new OptionException(chardev.option() + ": " + e.getMessage());
    }
  }

  private static CharBackend logged(ChardevOptions chardev, CharBackend end) throws OptionException {
    if (chardev.log().isEmpty()) {
      return end;
    }
    try {
      return new LoggedChardev(end, chardev.log().get(), chardev.appendLog());
    } catch (IOException e) {
      end.close();
      throw new OptionException(
          chardev.option() + ": Unable to open logfile " + chardev.log().get() + ": " + e.getMessage());
    }
  }

  /** What a channel is connected to, in QEMU's words. */
  private String describe(String label, CharOptions options, CharBackend made) {
    return switch (options) {
      case CharOptions.None _, CharOptions.Null _ -> "null";
      case CharOptions.Stdio _ -> "stdio";
      case CharOptions.File _ -> "file";
      case CharOptions.Ring _ -> "ringbuf";
      case CharOptions.Pipe _ -> "pipe";
      case CharOptions.Serial _ -> "serial";
      case CharOptions.Pty _ -> "pty:" + terminals.get(label);
      case CharOptions.Udp _ -> "udp";
      case CharOptions.Socket socket -> {
        String kind = switch (socket.protocol()) {
          case RAW -> "tcp:";
          case TELNET -> "telnet:";
          case WEBSOCKET -> "websocket:";
        };
        yield socketName(kind, socket, (SocketChardev) made);
      }
      case CharOptions.Reference(String id) -> id;
    };
  }

  private static String socketName(String kind, CharOptions.Socket socket, SocketChardev made) {
    String server = socket.server() ? ",server=on" : "";
    var connection = made.connection();
    if (!(socket.address() instanceof InetSocketAddress asked)) {
      return (connection.isPresent() ? "" : "disconnected:") + "unix:" + socket.address() + server;
    }
    if (connection.isEmpty()) {
      // The host decides which port a server has that was given none.
      int port = ((InetSocketAddress) made.localAddress()).getPort();
      return "disconnected:" + kind + asked.getHostString() + ":" + port + server;
    }
    return kind + numeric(connection.get().own()) + server + " <-> " + numeric(connection.get().other());
  }

  private static String numeric(SocketAddress address) {
    if (!(address instanceof InetSocketAddress inet) || inet.getAddress() == null) {
      return String.valueOf(address);
    }
    String host = inet.getAddress().getHostAddress();
    return (host.contains(":") ? "[" + host + "]" : host) + ":" + inet.getPort();
  }

  @Override
  public synchronized Map<String, String> describe() {
    Map<String, String> all = new LinkedHashMap<>();
    opened.forEach(
        (id, o) -> all.put(id, muxes.containsKey(id) ? "mux" : describe(id, o.kind(), o.end())));
    return all;
  }

  @Override
  public synchronized Optional<RingChardev> ring(String label) {
    Opened found = opened.get(label);
    return found != null && found.end() instanceof RingChardev ring ? Optional.of(ring) : Optional.empty();
  }

  private CharBackend open(CharOptions options, String label, PrintStream told) throws IOException, OptionException {
    return switch (options) {
      case CharOptions.None _, CharOptions.Null _ -> new NullChardev();
      case CharOptions.Stdio(boolean signals) -> new StdioChardev(signals);
      case CharOptions.File(var path, boolean append, var input) -> HostFile.files(path, append, input);
      case CharOptions.Ring(int size) -> RingChardev.of(size);
      case CharOptions.Pipe(var path) -> HostFile.pipe(path);
      case CharOptions.Serial(var path) -> HostFile.serial(path);
      case CharOptions.Pty _ -> {
        PseudoTerminal terminal = PseudoTerminal.open();
        terminals.put(label, terminal.name());
        told.println("char device redirected to " + terminal.name() + " (label " + label + ")");
        yield terminal.channel();
      }
      case CharOptions.Socket socket -> open(socket, told);
      case CharOptions.Udp(var remote, var local) -> new UdpChardev(remote, local);
      case CharOptions.Reference(String id) -> throw new IllegalArgumentException("chardev " + id);
    };
  }

  private CharBackend open(CharOptions.Socket socket, PrintStream told) throws IOException {
    SocketOptions options =
        new SocketOptions(
            socket.address(),
            socket.server(),
            socket.waitForPeer(),
            socket.nodelay(),
            socket.reconnect(),
            socket.protocol(),
            Optional.ofNullable(security.credentials().get(socket.tlsCredentials())),
            Optional.ofNullable(security.authorizations().get(socket.authorization())));
    if (socket.waitForPeer()) {
      told.println("waiting for connection on: " + options.target() + ",server=on");
    }
    return SocketChardev.open(options);
  }

  /** Writes out what is buffered and gives the terminal back. */
  @Override
  public void close() {
    List<MuxChardev> shared;
    List<Opened> all;
    synchronized (this) {
      shared = List.copyOf(muxes.values());
      all = List.copyOf(opened.values());
    }
    shared.forEach(MuxChardev::close);
    all.forEach(o -> o.channel().close());
  }
}
