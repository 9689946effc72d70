package org.ascus.launcher.monitor;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.ascus.launcher.options.Version;
import org.ascus.machine.bus.AliasRegion;
import org.ascus.machine.bus.ContainerRegion;
import org.ascus.machine.bus.FlatView;
import org.ascus.machine.bus.MmioRegion;
import org.ascus.machine.bus.RamRegion;
import org.ascus.machine.bus.Region;
import org.ascus.machine.bus.RomDeviceRegion;
import org.ascus.polyglot.Vm;
import org.ascus.polyglot.VmCpu;
import org.ascus.polyglot.VmException;

/** {@code info ...}. */
final class InfoCommands {
  private final Vm vm;
  private final String name;
  private final Supplier<VmCpu> cpu;
  private final List<Command> commands = new ArrayList<>();

  InfoCommands(Vm vm, String name, Chardevs chardevs, Supplier<VmCpu> cpu) {
    this.vm = vm;
    this.name = name;
    this.cpu = cpu;
    add("balloon", "", "show balloon information", a -> new BalloonCommands(vm).show());
    add(
        "block",
        "[-v] [device]",
        "show info of one block device or all block devices (-v: details)",
        a -> new BlockCommands(vm).show(a));
    add("chardev", "", "show the character devices", a -> new ChardevCommands(vm, chardevs).show());
    add("cpus", "", "show infos for each CPU", a -> cpus());
    add("jit", "", "show dynamic compiler info", a -> jit());
    add("mice", "", "show which guest mouse is receiving events", a -> new InputCommands(vm).mice());
    add("mtree", "[-f]", "show memory tree (-f: as flat view)", this::mtree);
    add("name", "", "show the current VM name", a -> name.isEmpty() ? "" : name + "\n");
    NetCommands net = new NetCommands(vm);
    add("network", "", "show the network state", a -> net.network());
    add("pci", "", "show PCI info", a -> PciInfo.of(vm.machine()));
    add("qtree", "", "show device tree", a -> DeviceTree.of(vm.machine().devices()));
    add("registers", "[-a]", "show the cpu registers (-a: of all CPUs)", this::registers);
    add("status", "", "show the current VM status (running|paused)", a -> status());
    add("usernet", "", "show user network stack connection states", a -> net.usernet());
    add("version", "", "show the version of Ascus", a -> Version.NUMBER + "\n");
  }

  private void add(String names, String arguments, String help, Command.Body body) {
    commands.add(new Command(List.of(names), arguments, help, body));
  }

  List<String> names() {
    return commands.stream().map(c -> c.names().getFirst()).toList();
  }

  String help() {
    StringBuilder text = new StringBuilder();
    commands.forEach(c -> text.append(c.usage("info ")));
    return text.toString();
  }

  String run(List<String> arguments) throws VmException {
    if (arguments.isEmpty()) {
      return help();
    }
    String which = arguments.getFirst();
    for (Command command : commands) {
      if (command.names().contains(which)) {
        return command.body().run(arguments.subList(1, arguments.size()));
      }
    }
    throw new IllegalArgumentException("unknown command: 'info " + which + "'");
  }

  private String status() {
    return "VM status: "
        + switch (vm.state()) {
          case RUNNING -> "running";
          case PAUSED -> "paused";
          case IO_ERROR -> "paused (io-error)";
          case PRELAUNCH -> "paused (prelaunch)";
          case SHUTDOWN -> "paused (shutdown)";
          case ENDED -> "ended";
        }
        + "\n";
  }

  private String cpus() {
    StringBuilder text = new StringBuilder();
    for (VmCpu c : vm.cpus()) {
      String mark = c.index() == cpu.get().index() ? "*" : " ";
      text.append(
          String.format(
              "%s CPU #%d: %s pc=0x%016x instructions=%d%n",
              mark, c.index(), c.isa(), c.pc(), c.instructionCount()));
    }
    return text.toString();
  }

  private String registers(List<String> arguments) {
    if (!arguments.contains("-a")) {
      return lineEnd(cpu.get().describe());
    }
    StringBuilder text = new StringBuilder();
    for (VmCpu c : vm.cpus()) {
      text.append("\nCPU#").append(c.index()).append('\n').append(lineEnd(c.describe()));
    }
    return text.toString();
  }

  private String jit() {
    StringBuilder text = new StringBuilder("Accelerator: ").append(vm.options().accelerator().key()).append('\n');
    for (VmCpu c : vm.cpus()) {
      String translation = c.describeTranslation();
      if (!translation.isEmpty()) {
        text.append("CPU#").append(c.index()).append('\n').append(lineEnd(translation));
      }
    }
    return text.append(vm.timeProfile().describe()).toString();
  }

  private static String lineEnd(String text) {
    return text.isEmpty() || text.endsWith("\n") ? text : text + "\n";
  }

  private String mtree(List<String> arguments) {
    StringBuilder text = new StringBuilder();
    if (arguments.contains("-f")) {
      text.append("FlatView #0\n");
      for (FlatView.Range r : vm.machine().memory().view().ranges()) {
        text.append(range("  ", r.start(), r.size(), 0, r.region()));
        text.append(r.offset() == 0 ? "\n" : String.format(" @%016x%n", r.offset()));
      }
    } else {
      text.append("address-space: memory\n");
      tree(text, "  ", 0, 0, vm.machine().memory().root());
    }
    return text.toString();
  }

  private static void tree(StringBuilder text, String indent, long base, int priority, Region region) {
    text.append(range(indent, base, region.size(), priority, region)).append('\n');
    if (region instanceof ContainerRegion container) {
      container.mappings().stream()
          .sorted((a, b) -> Long.compare(a.offset(), b.offset()))
          .forEach(m -> tree(text, indent + "  ", base + m.offset(), m.priority(), m.region()));
    }
  }

  private static String range(String indent, long base, long size, int priority, Region region) {
    String kind =
        switch (region) {
          case RamRegion ram -> ram.writable() ? "ram" : "rom";
          case MmioRegion _ -> "i/o";
          case AliasRegion alias -> "alias of " + alias.target().name();
          case RomDeviceRegion _ -> "romd";
          case ContainerRegion _ -> "container";
        };
    return String.format(
        "%s%016x-%016x (prio %d, %s): %s", indent, base, base + size - 1, priority, kind, region.name());
  }
}
