package org.ascus.launcher.monitor;

import java.util.List;
import org.ascus.polyglot.VmException;

/**
 * A command of the monitor.
 *
 * @param names the first is the one in help
 * @param arguments as shown in help; empty for none
 * @param help one line
 * @param body does it and returns what to print, which ends with a line end or is empty
 */
record Command(List<String> names, String arguments, String help, Body body) {
  /** Does a command. */
  @FunctionalInterface
  interface Body {
    /**
     * Does the command.
     *
     * @param arguments what follows the name, split at blanks
     * @throws VmException or {@link IllegalArgumentException} with the message for the user
     */
    String run(List<String> arguments) throws VmException;
  }

  /** The line of help; {@code prefix} stands before the name. */
  String usage(String prefix) {
    String left = prefix + String.join("|", names) + (arguments.isEmpty() ? "" : " " + arguments);
    return left + " -- " + help + "\n";
  }
}
