package org.ascus.launcher.options;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Understands a command line. */
public final class CommandLine {
  /** What to do. */
  public sealed interface Outcome {}

  /** Print a text and be done: the answer to {@code -help}, {@code -M help} and the like. */
  public record Answer(String text) implements Outcome {}

  /** Run a machine. */
  public record Launch(LaunchOptions options) implements Outcome {}

  private static final List<String> STORAGE =
      List.of("drive", "blockdev", "hda", "hdb", "hdc", "hdd", "cdrom", "fda", "fdb", "sd", "mtdblock");

  /** An image; the option is missing for a file name on its own. */
  private record Storage(Optional<Option> option, String word, String argument) {}

  private final OptionTable table;

  /**
   * A parser.
   *
   * @param program the name of the program in help
   */
  public CommandLine(String program) {
    table = new OptionTable(program);
  }

  /**
   * Reads arguments.
   *
   * @throws OptionException naming the option and value that are wrong
   */
  public Outcome parse(String... arguments) throws OptionException {
    Draft draft = new Draft();
    // Images use objects, whichever stands first.
    List<Storage> storage = new ArrayList<>();
    for (int i = 0; i < arguments.length; i++) {
      String word = arguments[i];
      if (!word.startsWith("-") || word.equals("-")) {
        storage.add(new Storage(Optional.empty(), word, word));
        continue;
      }
      Option option =
          table
              .find(word.substring(word.startsWith("--") ? 2 : 1))
              .orElseThrow(() -> new OptionException(word + ": invalid option"));
      String argument = "";
      if (option.takesArgument()) {
        if (++i == arguments.length) {
          throw new OptionException(word + ": requires an argument");
        }
        argument = arguments[i];
      }
      if (STORAGE.contains(option.names().getFirst())) {
        storage.add(new Storage(Optional.of(option), word, argument));
        continue;
      }
      handle(draft, option, word, argument);
      if (draft.answer.isPresent()) {
        return new Answer(draft.answer.get());
      }
    }
    for (Storage s : storage) {
      if (s.option().isPresent()) {
        handle(draft, s.option().get(), s.word(), s.argument());
      } else {
        StorageArguments.disk(draft, s.word());
      }
      if (draft.answer.isPresent()) {
        return new Answer(draft.answer.get());
      }
    }
    return new Launch(draft.finish());
  }

  private static void handle(Draft draft, Option option, String word, String argument) throws OptionException {
    try {
      option.handler().accept(draft, argument);
    } catch (OptionException e) {
      throw e.in(word, argument);
    } catch (java.nio.file.InvalidPathException e) {
      throw new OptionException("not a file name").in(word, argument);
    }
  }
}
