package org.ascus.launcher.options;

import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.ascus.devices.board.riscv.Firmware;
import org.ascus.isa.riscv.RiscvConfig;
import org.ascus.polyglot.Accelerator;
import org.ascus.polyglot.DefaultFirmware;
import org.ascus.polyglot.MachineOptions;

/** Options about the machine itself and what it starts with. */
final class MachineArguments {
  private static final int MAX_ICOUNT_SHIFT = 10;
  private static final int FLASH_BANKS = 2;
  private static final String MACHINES = "Supported machines are:\nvirt                 RISC-V VirtIO board\n";

  private MachineArguments() {}

  static void machine(Draft draft, String argument) throws OptionException {
    KeyValues kv = KeyValues.parse(argument, "type");
    Optional<String> type = kv.take("type");
    if (kv.asksForHelp()) {
      draft.answer(
          type.isEmpty() ? MACHINES : properties());
      return;
    }
    if (type.isPresent()) {
      if (!type.get().equals("virt")) {
        throw new OptionException(
            "unsupported machine type '" + type.get() + "' (use -machine help to list supported machines)");
      }
      draft.machine = type;
    }
    draft.aclint = kv.takeSwitch("aclint", draft.aclint);
    kv.take("dumpdtb").ifPresent(file -> draft.dumpDtb = Optional.of(Path.of(file)));
    kv.take("memory-backend").ifPresent(id -> draft.memoryBackend = Optional.of(id));
    Optional<String> accel = kv.take("accel");
    if (accel.isPresent()) {
      accel(draft, accel.get());
    }
    for (int bank = 0; bank < FLASH_BANKS; bank++) {
      int number = bank;
      kv.take("pflash" + bank).ifPresent(node -> draft.pflashNodes.put(number, node));
    }
    for (String unknown : kv.rest().keySet()) {
      throw new OptionException("Property 'virt-machine." + unknown + "' not found");
    }
  }

  private static String properties() {
    return """
        virt-machine options:
          accel=<string>         - Accelerator, see -accel help
          aclint=<bool>          - Set on/off to enable/disable emulating ACLINT devices (default: off)
          dumpdtb=<string>       - Dump the device tree to a file and quit
          memory-backend=<string> - ID of a memory-backend-ram object that is the RAM
          pflash0=<str>          - Node name or ID of a block device to use as a backend
          pflash1=<str>          - Node name or ID of a block device to use as a backend
        """;
  }

  static void cpu(Draft draft, String argument) throws OptionException {
    if (argument.equals("help") || argument.equals("?")) {
      draft.answer(RiscvConfig.help());
      return;
    }
    try {
      RiscvConfig.parse(argument);
    } catch (IllegalArgumentException e) {
      throw new OptionException(e.getMessage());
    }
    draft.cpu = argument;
  }

  static void smp(Draft draft, String argument) throws OptionException {
    KeyValues kv = KeyValues.parse(argument, "cpus");
    int max = MachineOptions.MAX_CPUS;
    OptionalLong cpus = kv.takeNumber("cpus", 1, max);
    OptionalLong maxCpus = kv.takeNumber("maxcpus", 1, max);
    long product = 1;
    for (String level : new String[] {"sockets", "dies", "clusters", "cores", "threads"}) {
      product *= kv.takeNumber(level, 1, max).orElse(1);
    }
    kv.expectEmpty();
    if (product > max) {
      throw new OptionException("the machine has 1 to " + max + " CPUs, not " + product);
    }
    long count = cpus.orElse(product);
    if (maxCpus.isPresent() && maxCpus.getAsLong() < count) {
      throw new OptionException("maxcpus=" + maxCpus.getAsLong() + " is less than cpus=" + count);
    }
    if (cpus.isPresent() && product > count && maxCpus.orElse(count) < product) {
      throw new OptionException("the topology has " + product + " CPUs, not " + count);
    }
    draft.smp = (int) count;
  }

  static void memory(Draft draft, String argument) throws OptionException {
    KeyValues kv = KeyValues.parse(argument, "size");
    String size = kv.take("size").orElse("128M");
    kv.expectEmpty();
    long bytes = KeyValues.size("size", size, 1L << 20);
    if (bytes < 1 << 20 || bytes > 1L << 40) {
      throw new OptionException("the machine has 1M to 1T of RAM");
    }
    draft.ramSizeGiven = true;
    draft.ramSize = (bytes + 0xfff) & -0x1000L;
  }

  static void bios(Draft draft, String argument) {
    draft.firmware =
        switch (argument) {
          case "default" -> Optional.empty();
          case "builtin" -> Optional.of(DefaultFirmware.builtIn());
          case "none" -> Optional.of(new Firmware.None());
          default -> Optional.of(new Firmware.File(Path.of(argument)));
        };
  }

  static void pflash(Draft draft, String argument) throws OptionException {
    int bank = 0;
    while (draft.pflash.containsKey(bank)) {
      bank++;
    }
    addFlash(draft, bank, argument);
  }

  static void addFlash(Draft draft, int bank, String file) throws OptionException {
    if (bank < 0 || bank >= FLASH_BANKS) {
      throw new OptionException("the machine has " + FLASH_BANKS + " flash banks");
    }
    draft.pflash.put(bank, Path.of(file));
  }

  static void accel(Draft draft, String argument) throws OptionException {
    KeyValues kv = KeyValues.parse(argument, "accel");
    if (kv.asksForHelp()) {
      StringBuilder text = new StringBuilder("Accelerators supported:\n");
      for (Accelerator a : Accelerator.values()) {
        text.append(String.format("%-12s %s%n", a.key(), a.help()));
      }
      draft.answer(text.toString());
      return;
    }
    String name = kv.take("accel").orElse("truffle");
    // With -icount there is one thread for all CPUs whatever is said here.
    draft.oneThread = kv.takeOneOf("thread", "single", "multi").orElse("multi").equals("single");
    if (kv.takeOneOf("profile", "on", "off").orElse("on").equals("off")) {
      draft.profile = Optional.empty();
    }
    kv.expectEmpty();
    draft.accelerator =
        switch (name) {
          case "truffle", "tcg" -> Accelerator.TRUFFLE;
          case "interpreter" -> Accelerator.INTERPRETER;
          default -> throw new OptionException("invalid accelerator '" + name + "'");
        };
  }

  static void icount(Draft draft, String argument) throws OptionException {
    KeyValues kv = KeyValues.parse(argument, "shift");
    OptionalLong shift = kv.takeNumber("shift", 0, MAX_ICOUNT_SHIFT);
    kv.expectEmpty();
    if (shift.isEmpty()) {
      throw new OptionException("Parameter 'shift' is missing");
    }
    draft.icountShift = OptionalInt.of((int) shift.getAsLong());
  }
}
