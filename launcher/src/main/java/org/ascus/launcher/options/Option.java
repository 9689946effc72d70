package org.ascus.launcher.options;

import java.util.List;

/**
 * A line of the option table.
 *
 * @param names without dashes; the first is the one in help
 * @param argument what follows, for help; empty for an option without argument
 * @param help what it does
 * @param handler takes the argument
 */
record Option(List<String> names, String argument, String help, Handler handler) {
  /** Takes an option's argument, empty for an option without. */
  @FunctionalInterface
  interface Handler {
    void accept(Draft draft, String argument) throws OptionException;
  }

  boolean takesArgument() {
    return !argument.isEmpty();
  }

  String usage() {
    String left = "-" + String.join(", -", names) + (takesArgument() ? " " + argument : "");
    String indented = help.replace("\n", "\n                ");
    return left.length() < 16
        ? String.format("%-16s%s%n", left, indented)
        : String.format("%s%n                %s%n", left, indented);
  }
}
