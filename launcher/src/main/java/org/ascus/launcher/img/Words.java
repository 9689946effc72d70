package org.ascus.launcher.img;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A command's options and file names, read as getopt does: in any order, short ones in one word, until {@code --}. */
final class Words {
  private final Map<String, List<String>> options = new HashMap<>();
  private final List<Map.Entry<String, String>> order = new ArrayList<>();
  private final List<String> files = new ArrayList<>();

  /**
   * @param known the options: {@code "f:"} is -f with a value, {@code "q"} without, {@code "output="} is
   *     --output=VALUE, {@code "shrink"} of more than a letter is --shrink
   */
  Words(String command, List<String> words, String... known) throws ImgException {
    List<String> all = new ArrayList<>(List.of(known));
    all.add("object=");
    boolean plain = false;
    for (int i = 0; i < words.size(); i++) {
      String word = words.get(i);
      if (plain || word.equals("-") || !word.startsWith("-")) {
        files.add(word);
      } else if (word.equals("--")) {
        plain = true;
      } else if (word.startsWith("--")) {
        int eq = word.indexOf('=');
        String name = eq < 0 ? word.substring(2) : word.substring(2, eq);
        if (all.contains(name) && eq < 0) {
          add(name, "");
        } else if (all.contains(name + "=") && (eq > 0 || i + 1 < words.size())) {
          add(name, eq > 0 ? word.substring(eq + 1) : words.get(++i));
        } else {
          throw new ImgException(command + ": unrecognized option '" + word + "'");
        }
      } else {
        i = letters(command, words, i, all);
      }
    }
  }

  private int letters(String command, List<String> words, int index, List<String> known) throws ImgException {
    String word = words.get(index);
    for (int at = 1; at < word.length(); at++) {
      String letter = word.substring(at, at + 1);
      if (known.contains(letter)) {
        add(letter, "");
      } else if (!known.contains(letter + ":")) {
        throw new ImgException(command + ": invalid option -- '" + letter + "'");
      } else if (at + 1 < word.length()) {
        add(letter, word.substring(at + 1));
        return index;
      } else if (index + 1 < words.size()) {
        add(letter, words.get(index + 1));
        return index + 1;
      } else {
        throw new ImgException(command + ": option requires an argument -- '" + letter + "'");
      }
    }
    return index;
  }

  private void add(String name, String value) {
    order.add(Map.entry(name, value));
    options.computeIfAbsent(name, _ -> new ArrayList<>()).add(value);
  }

  boolean has(String name) {
    return options.containsKey(name);
  }

  Optional<String> get(String name) {
    return Optional.ofNullable(options.get(name)).map(List::getLast);
  }

  /** All values of an option. */
  List<String> all(String name) {
    return options.getOrDefault(name, List.of());
  }

  /** The options with their values, as they came. */
  List<Map.Entry<String, String>> inOrder() {
    return order;
  }

  List<String> files() {
    return files;
  }

  /** The file names, of which there must be so many. */
  List<String> files(int count, String complaint) throws ImgException {
    if (files.size() != count) {
      throw new ImgException(complaint);
    }
    return files;
  }

  /** Whether the output is to be JSON. */
  boolean json() throws ImgException {
    String output = get("output").orElse("human");
    if (!output.equals("json") && !output.equals("human")) {
      throw new ImgException("--output must be used with human or json as argument.");
    }
    return output.equals("json");
  }
}
