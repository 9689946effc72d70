package org.ascus.launcher;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.ascus.devices.board.riscv.Firmware;
import org.ascus.isa.riscv.RiscvDialect;
import org.ascus.isa.riscv.RiscvTable;
import org.ascus.launcher.options.CommandLine;
import org.ascus.launcher.options.OptionException;
import org.ascus.machine.bus.GuestRam;
import org.ascus.polyglot.Vm;
import org.ascus.polyglot.VmException;
import org.ascus.polyglot.firmware.DemoGuest;

/** {@code ascus-system-riscv64}: runs a RISC-V 64 machine. */
public final class Main {
  private static final String PROGRAM = "ascus-system-riscv64";

  /** The launcher scripts give this word alone. */
  private static final String TRAIN = "train";

  private static final String DEMO = "demo-builtin";

  /** Runs for long enough to be compiled by every tier, prints a character and ends. */
  private static final String TRAINING =
      """
      la a1, here
      li a0, 1000000000
      here: ld a2, 0(a1)
      addi a0, a0, -1
      bnez a0, here
      li t0, 0x10000000
      li t1, '.'
      sb t1, 0(t0)
      li t0, 0x100000
      li t1, 0x5555
      sw t1, 0(t0)
      2: j 2b
      """;

  private static final long TRAINING_ADDRESS = 0x8000_0000L;

  private Main() {}

  /** Ends the process with the machine's exit code, 1 for a wrong option or a machine that cannot be made. */
  public static void main(String[] arguments) {
    Thread.ofPlatform().daemon().name("ascus-prepare").start(Main::prepare);
    int code = run(arguments, System.out, System.err);
    System.out.flush();
    System.exit(code);
  }

  /** What takes long and is needed in any case, done while the options are read. */
  private static void prepare() {
    GuestRam.prepare();
    RiscvTable.get();
  }

  /** What {@link #main} does, but for the end. */
  static int run(String[] arguments, PrintStream output, PrintStream errors) {
    try {
      if (List.of(arguments).equals(List.of(TRAIN))) {
        return train(errors);
      }
      if (arguments.length > 0 && arguments[0].equals(DEMO)) {
        return demo(Arrays.copyOfRange(arguments, 1, arguments.length), errors);
      }
      return switch (new CommandLine(PROGRAM).parse(arguments)) {
        case CommandLine.Answer(String text) -> {
          output.print(text);
          yield 0;
        }
        case CommandLine.Launch(var options) -> new Run(options, PROGRAM, errors).run();
      };
    } catch (OptionException | VmException e) {
      errors.println(PROGRAM + ": " + e.getMessage());
      return 1;
    } catch (InterruptedException e) {
      return 1;
    }
  }

  /** Runs the guest that Ascus brings along, on the terminal unless options say otherwise. */
  private static int demo(String[] options, PrintStream errors)
      throws OptionException, VmException, InterruptedException {
    List<String> words = new ArrayList<>(List.of("-M", "virt"));
    words.addAll(List.of(options));
    if (new CommandLine(PROGRAM).parse(words.toArray(String[]::new)) instanceof CommandLine.Launch(var launch)) {
      Firmware guest = new Firmware.Bytes(DEMO, DemoGuest.bytes());
      return new Run(launch.with(Vm.builder(launch.machine()).bios(guest).options()), PROGRAM, errors).run();
    }
    throw new OptionException(DEMO + ": takes options of the machine only");
  }

  /**
   * A short run from which the JVM records the classes that each start needs, so that later ones load them at once; it
   * has terminal and monitor like most runs.
   */
  private static int train(PrintStream errors) throws OptionException, VmException, InterruptedException {
    CommandLine.Outcome outcome = new CommandLine(PROGRAM).parse("-M", "virt", "-nographic");
    Firmware guest =
        new Firmware.Bytes(TRAIN, RiscvDialect.assembler().assemble(TRAINING, TRAINING_ADDRESS).bytes());
    if (outcome instanceof CommandLine.Launch(var launch)) {
      return new Run(launch.with(Vm.builder(launch.machine()).bios(guest).options()), PROGRAM, errors).run();
    }
    return 1;
  }
}
