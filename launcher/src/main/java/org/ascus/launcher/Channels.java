package org.ascus.launcher;

import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.ascus.devices.chardev.CharBackend;
import org.ascus.devices.chardev.HostFile;
import org.ascus.devices.chardev.LoggedChardev;
import org.ascus.devices.chardev.MuxChardev;
import org.ascus.devices.chardev.NullChardev;
import org.ascus.devices.chardev.PseudoTerminal;
import org.ascus.devices.chardev.RingChardev;
import org.ascus.devices.chardev.StdioChardev;
import org.ascus.devices.chardev.socket.SocketChardev;
import org.ascus.devices.chardev.socket.SocketOptions;
import org.ascus.devices.chardev.socket.UdpChardev;
import org.ascus.launcher.monitor.Chardevs;
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
  private final Map<String, CharBackend> opened = new LinkedHashMap<>();
  private final Map<String, MuxChardev> muxes = new LinkedHashMap<>();
  private final Set<String> used = new HashSet<>();
  private final List<AutoCloseable> all = new ArrayList<>();
  private final Map<String, Supplier<String>> descriptions = new LinkedHashMap<>();
  private final Map<String, RingChardev> rings = new LinkedHashMap<>();
  private final Map<String, String> terminals = new LinkedHashMap<>();

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
    this.named = named;
    this.security = security;
    this.control = control;
    this.notes = notes;
  }

  /** A channel for one user of it, who is called {@code user}. */
  CharBackend open(CharOptions options, String user) throws OptionException {
    if (!(options instanceof CharOptions.Reference(String id))) {
      return make(options, user, "-chardev " + user);
    }
    prepare(id);
    try {
      return front(id, user);
    } catch (DeviceException e) {
      throw new OptionException(e.getMessage());
    }
  }

  /** Opens the channel {@code id} if it is not: a server listens even while nobody uses what it gets. */
  void prepare(String id) throws OptionException {
    ChardevOptions chardev = named.get(id);
    if (chardev.mux() && !muxes.containsKey(id)) {
      muxes.put(id, new MuxChardev(make(chardev), control));
    } else if (!chardev.mux() && !opened.containsKey(id)) {
      opened.put(id, make(chardev));
    }
  }

  /**
   * The channel {@code id}, which is open, for one more user.
   *
   * @throws DeviceException when it has as many as it can have
   */
  synchronized CharBackend front(String id, String user) throws DeviceException {
    MuxChardev mux = muxes.get(id);
    if (mux == null ? !used.add(id) : mux.fronts() == MuxChardev.MOST_FRONTS) {
      throw new DeviceException("Property 'chardev' can't take value '" + id + "': Device '" + id + "' is in use");
    }
    return mux == null ? opened.get(id) : mux.addFront(user);
  }

  /** Whether several users share the channel. */
  boolean isShared(CharOptions options) {
    return options instanceof CharOptions.Reference(String id) && named.get(id).mux();
  }

  private CharBackend make(ChardevOptions chardev) throws OptionException {
    CharBackend channel = make(chardev.kind(), chardev.id(), chardev.option());
    if (chardev.log().isEmpty()) {
      return channel;
    }
    try {
      CharBackend logged = new LoggedChardev(channel, chardev.log().get(), chardev.appendLog());
      all.add(logged::close);
      return logged;
    } catch (IOException e) {
      throw new OptionException(
          chardev.option() + ": Unable to open logfile " + chardev.log().get() + ": " + e.getMessage());
    }
  }

  /** Opens a channel that is called {@code label}, for {@code option}. */
  private CharBackend make(CharOptions options, String label, String option) throws OptionException {
    CharBackend made;
    try {
      made = open(options, label, notes);
    } catch (IOException e) {
      throw new OptionException(option + ": " + e.getMessage());
    }
    all.add(made::close);
    descriptions.putIfAbsent(label, () -> describe(label, options, made));
    if (made instanceof RingChardev ring) {
      rings.put(label, ring);
    }
    return made;
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
      case CharOptions.Udp(var remote, var local) -> "udp:" + remote + "<->" + local;
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
  public Map<String, String> describe() {
    Map<String, String> all = new LinkedHashMap<>();
    descriptions.forEach((label, text) -> all.put(label, muxes.containsKey(label) ? "mux" : text.get()));
    return all;
  }

  @Override
  public Optional<RingChardev> ring(String label) {
    return Optional.ofNullable(rings.get(label));
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
    muxes.values().forEach(MuxChardev::close);
    for (AutoCloseable channel : all) {
      try {
        channel.close();
      } catch (Exception e) {
        throw new IllegalStateException("channels throw nothing when they are closed", e);
      }
    }
  }
}
