package org.ascus.launcher.monitor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.ascus.launcher.options.DeviceArguments;
import org.ascus.launcher.options.OptionException;
import org.ascus.machine.run.RunState;
import org.ascus.machine.trace.Log;
import org.ascus.polyglot.Vm;
import org.ascus.polyglot.VmCpu;
import org.ascus.polyglot.VmException;

/** The commands of the monitor, on one machine. */
final class Commands {
  private final Vm vm;
  private final List<Command> commands = new ArrayList<>();
  private final InfoCommands info;
  private int currentCpu;

  /**
   * The commands.
   *
   * @param name of the guest; may be empty
   * @param chardevs the host's ends of its byte channels
   */
  Commands(Vm vm, String name, Chardevs chardevs) {
    this.vm = vm;
    this.info = new InfoCommands(vm, name, chardevs, this::cpu);
    MemoryDump dump = new MemoryDump(vm, this::cpu);
    add("help ?", "[cmd]", "show the help", this::help);
    add("info", "[subcommand]", "show various information about the system state", info::run);
    add("stop s", "", "stop emulation", this::stop);
    add("cont c", "", "resume emulation", this::cont);
    add("quit q", "", "quit the emulator", this::quit);
    add("system_reset", "", "reset the system", this::reset);
    add("system_powerdown", "", "send system power down event", this::powerDown);
    add("cpu", "index", "set the default CPU", this::selectCpu);
    add("x", "/fmt addr", "virtual memory dump starting at 'addr'", a -> dump.run(a, true));
    add("xp", "/fmt addr", "physical memory dump starting at 'addr'", a -> dump.run(a, false));
    add("print p", "/fmt expr", "print expression value ($reg for a register)", dump::print);
    add("sum", "addr size", "compute the checksum of a memory region", dump::sum);
    BlockCommands disks = new BlockCommands(vm);
    add("commit", "device|all", "write changes of disks with snapshot=on to their files", disks::commit);
    add("eject", "[-f] device", "eject a removable medium (use -f to force it)", disks::eject);
    add("change", "device filename [format]", "change a removable medium, optional format", disks::change);
    add("block_resize", "device size", "resize a block image", disks::resize);
    add("nbd_server_start", "[-a] [-w] host:port", "serve block devices on the given host and port",
        disks::startServer);
    add("nbd_server_add", "[-w] device [name]", "export a block device via NBD", disks::export);
    add("nbd_server_remove", "name", "remove an export previously exposed via NBD", disks::unexport);
    add("nbd_server_stop", "", "stop serving block devices using the NBD protocol", disks::stopServer);
    add("balloon", "target", "request VM to change its memory allocation (in MB)", new BalloonCommands(vm)::set);
    InputCommands input = new InputCommands(vm);
    add("sendkey", "keys [hold_ms]", "send keys to the VM (e.g. 'sendkey ctrl-alt-f1', default hold time=100 ms)",
        input::sendKey);
    add("mouse_move", "dx dy [dz]", "send mouse move events", input::mouseMove);
    add("mouse_button", "state", "change mouse button state (1=L, 2=R, 4=M)", input::mouseButton);
    ChardevCommands channels = new ChardevCommands(vm, chardevs);
    add("chardev-add", "args", "add chardev", channels::add);
    add("chardev-change", "id args", "change chardev", channels::change);
    add("chardev-remove", "id", "remove chardev", channels::remove);
    add("chardev-send-break", "id", "send a break on chardev", channels::sendBreak);
    add("ringbuf_write", "device data", "write to a ring buffer character device", channels::write);
    add("ringbuf_read", "device size", "read from a ring buffer character device", channels::read);
    NetCommands net = new NetCommands(vm);
    add("netdev_add", "type,id=str[,prop=value][,...]", "add host network device", net::addNetwork);
    add("netdev_del", "id", "remove host network device", net::removeNetwork);
    add("set_link", "name on|off", "change the link status of a network adapter", net::setLink);
    add(
        "hostfwd_add",
        "[netdev_id] [tcp|udp]:[hostaddr]:hostport-[guestaddr]:guestport",
        "redirect TCP or UDP connections from host to guest (requires -net user)",
        net::addForward);
    add(
        "hostfwd_remove",
        "[netdev_id] [tcp|udp]:[hostaddr]:hostport",
        "remove host-to-guest TCP or UDP redirection",
        net::removeForward);
    add("device_add", "driver[,prop=value][,...]", "add device, like -device on the command line", this::deviceAdd);
    add("device_del", "device", "remove device", this::deviceDelete);
    add("log", "item1[,...]", "activate logging of the specified items ('log none' for none)", this::log);
  }

  private void add(String names, String arguments, String help, Command.Body body) {
    commands.add(new Command(List.of(names.split(" ")), arguments, help, body));
  }

  private VmCpu cpu() {
    return vm.cpu(currentCpu);
  }

  /** Does the command of a line and returns what to print. */
  String execute(String line) {
    List<String> words = new ArrayList<>(Arrays.asList(line.trim().split("\\s+")));
    String name = words.removeFirst();
    if (name.isEmpty()) {
      return "";
    }
    int slash = name.indexOf('/');
    if (slash > 0) {
      words.addFirst(name.substring(slash));
      name = name.substring(0, slash);
    }
    Optional<Command> command = find(name);
    if (command.isEmpty()) {
      return "unknown command: '" + name + "'\n";
    }
    try {
      return command.get().body().run(words);
    } catch (VmException | IllegalArgumentException e) {
      // Options begin their errors with what the user wrote, which is the line above.
      String message = String.valueOf(e.getMessage());
      String prefix = command.get().names().getFirst() + ": ";
      return "Error: " + (message.startsWith(prefix) ? message.substring(prefix.length()) : message) + "\n";
    }
  }

  /** Names that begin with {@code prefix}, for completion. */
  List<String> completions(String prefix) {
    if (prefix.startsWith("info ")) {
      return info.names().stream().map(n -> "info " + n).filter(n -> n.startsWith(prefix)).toList();
    }
    return commands.stream().map(c -> c.names().getFirst()).filter(n -> n.startsWith(prefix)).toList();
  }

  private Optional<Command> find(String name) {
    return commands.stream().filter(c -> c.names().contains(name)).findFirst();
  }

  private String help(List<String> arguments) {
    StringBuilder text = new StringBuilder();
    if (arguments.isEmpty()) {
      commands.forEach(c -> text.append(c.usage("")));
    } else if (arguments.getFirst().equals("info")) {
      text.append(info.help());
    } else {
      find(arguments.getFirst()).ifPresent(c -> text.append(c.usage("")));
    }
    return text.toString();
  }

  private String stop(List<String> arguments) {
    vm.pause();
    return "";
  }

  private String cont(List<String> arguments) {
    if (vm.state() == RunState.SHUTDOWN) {
      throw new IllegalArgumentException("the guest has shut down; 'quit' is what is left");
    }
    vm.resume();
    return "";
  }

  private String quit(List<String> arguments) {
    vm.quit();
    return "";
  }

  private String reset(List<String> arguments) {
    vm.reset();
    return "";
  }

  private String powerDown(List<String> arguments) {
    throw new IllegalArgumentException("machine 'virt' has no power button");
  }

  private String deviceAdd(List<String> arguments) throws VmException {
    try {
      vm.plug(DeviceArguments.parse(String.join(" ", arguments)));
      return "";
    } catch (OptionException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  private String deviceDelete(List<String> arguments) throws VmException {
    if (arguments.size() != 1) {
      throw new IllegalArgumentException("device_del takes the id of a device");
    }
    vm.unplug(arguments.getFirst());
    return "";
  }

  private String selectCpu(List<String> arguments) {
    int index = arguments.size() == 1 ? MemoryDump.number(arguments.getFirst()) : -1;
    if (index < 0 || index >= vm.cpus().size()) {
      throw new IllegalArgumentException("invalid CPU index");
    }
    currentCpu = index;
    return "";
  }

  private String log(List<String> arguments) {
    Set<Log.Category> enabled = EnumSet.noneOf(Log.Category.class);
    for (String item : String.join(",", arguments).split(",")) {
      if (!item.equals("none")) {
        enabled.add(
            Arrays.stream(Log.Category.values())
                .filter(c -> c.key().equals(item))
                .findAny()
                .orElseThrow(() -> new IllegalArgumentException("unknown log item '" + item + "'")));
      }
    }
    vm.machine().log().enable(enabled);
    if (enabled.contains(Log.Category.TIME)) {
      vm.timeProfile().start();
    } else {
      vm.timeProfile().stop();
    }
    return "";
  }
}
