package org.ascus.devices.net.user;

import java.util.List;

/**
 * A TCP port in the guest's network behind which something of the host's is, {@code guestfwd=}.
 *
 * @param server address in the guest's network
 * @param target what a connection leads to
 */
public record GuestForward(IpAddress server, int port, Target target) {
  /** What is behind it. */
  public sealed interface Target {}

  /** A TCP port, each connection a connection there. */
  public record Tcp(String host, int port) implements Target {}

  /** The {@code -chardev} with an id, which all connections share. */
  public record Channel(String id) implements Target {}

  /** A program that is started for each connection; its input and output are the connection's. */
  public record Command(List<String> words) implements Target {
    public Command {
      words = List.copyOf(words);
    }
  }

  /**
   * Reads {@code [tcp]:server:port-} and one of {@code tcp:host:port}, {@code chardev:id} and {@code cmd:command}.
   *
   * @throws IllegalArgumentException saying what is wrong with it
   */
  public static GuestForward parse(String rule) {
    int dash = rule.indexOf('-');
    String[] from = dash < 0 ? new String[0] : rule.substring(0, dash).split(":", -1);
    if (from.length != 3 || !(from[0].isEmpty() || from[0].equals("tcp"))) {
      throw wrong(rule, "expected [tcp]:server:port-target");
    }
    String target = rule.substring(dash + 1);
    try {
      return new GuestForward(IpAddress.parse(from[1]), port(rule, from[2]), target(rule, target));
    } catch (IllegalArgumentException e) {
      throw e.getMessage().startsWith("Invalid") ? e : wrong(rule, e.getMessage());
    }
  }

  private static Target target(String rule, String text) {
    if (text.startsWith("cmd:") && !text.substring(4).isBlank()) {
      return new Command(words(text.substring(4)));
    }
    if (text.startsWith("chardev:") && text.length() > 8) {
      return new Channel(text.substring(8));
    }
    int colon = text.lastIndexOf(':');
    if (text.startsWith("tcp:") && colon > 4) {
      return new Tcp(text.substring(4, colon), port(rule, text.substring(colon + 1)));
    }
    throw wrong(rule, "target '" + text + "' is none of tcp:host:port, chardev:id and cmd:command");
  }

  /** Splits a command at blanks, but not inside quotes. */
  private static List<String> words(String command) {
    List<String> words = new java.util.ArrayList<>();
    StringBuilder word = new StringBuilder();
    char quote = 0;
    boolean any = false;
    for (char c : command.toCharArray()) {
      if (quote != 0 ? c == quote : c == '\'' || c == '"') {
        quote = quote == 0 ? c : 0;
        any = true;
      } else if (quote == 0 && Character.isWhitespace(c)) {
        if (any) {
          words.add(word.toString());
        }
        word.setLength(0);
        any = false;
      } else {
        word.append(c);
        any = true;
      }
    }
    if (any) {
      words.add(word.toString());
    }
    return words;
  }

  private static int port(String rule, String text) {
    int port = text.matches("[0-9]{1,5}") ? Integer.parseInt(text) : 0;
    if (port < 1 || port > 65535) {
      throw wrong(rule, "Bad port '" + text + "'");
    }
    return port;
  }

  private static IllegalArgumentException wrong(String rule, String why) {
    return new IllegalArgumentException("Invalid guest forwarding rule '" + rule + "' (" + why + ")");
  }
}
