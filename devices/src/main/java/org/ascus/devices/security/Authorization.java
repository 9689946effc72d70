package org.ascus.devices.security;

import java.util.List;
import java.util.regex.Pattern;

/** Decides by a peer's identity, such as the distinguished name of its certificate, whether it may come in. */
@FunctionalInterface
public interface Authorization {
  boolean allows(String identity);

  /** {@code authz-simple}: one identity. */
  static Authorization simple(String identity) {
    return identity::equals;
  }

  /**
   * A rule of a list.
   *
   * @param match an identity
   * @param glob {@code *}, {@code ?} and {@code [...]} in it stand for other text
   * @param allow what the rule says of identities that match
   */
  record Rule(String match, boolean glob, boolean allow) {
    private boolean covers(String identity) {
      return glob ? pattern(match).matcher(identity).matches() : match.equals(identity);
    }

    private static Pattern pattern(String glob) {
      StringBuilder regex = new StringBuilder();
      for (int i = 0; i < glob.length(); i++) {
        char c = glob.charAt(i);
        int end = c == '[' ? glob.indexOf(']', i + 2) : -1;
        switch (c) {
          case '*' -> regex.append(".*");
          case '?' -> regex.append('.');
          default -> {
            if (end > 0) {
              String set = glob.substring(i + 1, end).replace("\\", "\\\\").replace("[", "\\[").replace("&", "\\&");
              regex.append('[').append(set.startsWith("!") ? "^" + set.substring(1) : set).append(']');
              i = end;
            } else {
              regex.append(Pattern.quote(String.valueOf(c)));
            }
          }
        }
      }
      return Pattern.compile(regex.toString(), Pattern.DOTALL);
    }
  }

  /** {@code authz-list}: the first rule that matches decides, or else {@code otherwise}. */
  static Authorization list(List<Rule> rules, boolean otherwise) {
    List<Rule> all = List.copyOf(rules);
    return identity -> {
      for (Rule rule : all) {
        if (rule.covers(identity)) {
          return rule.allow();
        }
      }
      return otherwise;
    };
  }
}
