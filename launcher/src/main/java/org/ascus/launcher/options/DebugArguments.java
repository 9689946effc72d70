package org.ascus.launcher.options;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.ascus.machine.trace.Log;

/** {@code -d} and {@code -D}. */
final class DebugArguments {
  private static final String HOST = "host";

  /** While blocks are logged each goes through the dispatcher: nothing is to be done for it. */
  private static final String NO_CHAIN = "nochain";

  private DebugArguments() {}

  static void items(Draft draft, String argument) throws OptionException {
    for (String item : argument.split(",")) {
      if (item.equals("help") || item.equals("?")) {
        draft.answer(help());
        return;
      }
      if (item.equals(HOST)) {
        draft.hostErrors = true;
        continue;
      }
      if (item.equals(NO_CHAIN)) {
        continue;
      }
      Optional<Log.Category> category =
          Arrays.stream(Log.Category.values()).filter(c -> c.key().equals(item)).findAny();
      draft.log.add(category.orElseThrow(() -> new OptionException("unknown log item '" + item + "' (see -d help)")));
    }
  }

  private static String help() {
    StringBuilder text = new StringBuilder("Log items (comma separated):\n");
    for (Log.Category c : Log.Category.values()) {
      text.append(String.format("%-15s %s%n", c.key(), c.help()));
    }
    text.append(String.format("%-15s %s%n", NO_CHAIN, "have 'exec' and 'cpu' show every block (they always do)"));
    text.append(String.format("%-15s %s%n", HOST, "show where in the emulator a defect of it happened"));
    return text.toString();
  }

  static void file(Draft draft, String argument) {
    draft.logFile = Optional.of(Path.of(argument));
  }
}
