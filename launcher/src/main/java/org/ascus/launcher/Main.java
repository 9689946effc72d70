package org.ascus.launcher;

import java.io.PrintStream;
import org.ascus.launcher.options.CommandLine;
import org.ascus.launcher.options.OptionException;
import org.ascus.polyglot.VmException;

/** {@code ascus-system-riscv64}: runs a RISC-V 64 machine. */
public final class Main {
  private static final String PROGRAM = "ascus-system-riscv64";

  private Main() {}

  /** Ends the process with the machine's exit code, 1 for a wrong option or a machine that cannot be made. */
  public static void main(String[] arguments) {
    int code = run(arguments, System.out, System.err);
    System.out.flush();
    System.exit(code);
  }

  /** What {@link #main} does, but for the end. */
  static int run(String[] arguments, PrintStream output, PrintStream errors) {
    try {
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
}
