package org.ascus.devices.block.filter;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.ascus.devices.block.BlockException;

/**
 * When {@code blkdebug} lets requests fail (QEMU's docs/devel/blkdebug.txt). Of QEMU's events only those are known that
 * happen where requests pass; the events inside of formats are not.
 *
 * @param errors what fails
 * @param changes what changes the state, which is 1 at first
 */
public record BlkdebugRules(List<InjectError> errors, List<SetState> changes) {
  /** What happens to a request. */
  public enum IoType {
    READ,
    WRITE,
    WRITE_ZEROES,
    DISCARD,
    FLUSH;

    String text() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /** What happens before a request is done. */
  public enum Event {
    /** Anything. */
    NONE,
    READ_AIO,
    WRITE_AIO,
    PWRITEV_ZERO,
    FLUSH_TO_DISK;

    private String text() {
      return name().toLowerCase(Locale.ROOT);
    }

    boolean is(IoType type) {
      return switch (this) {
        case NONE -> true;
        case READ_AIO -> type == IoType.READ;
        case WRITE_AIO -> type == IoType.WRITE;
        case PWRITEV_ZERO -> type == IoType.WRITE_ZEROES;
        case FLUSH_TO_DISK -> type == IoType.FLUSH;
      };
    }
  }

  /**
   * Requests that fail.
   *
   * @param state in which they do; 0 for any
   * @param errno the host's number of the error
   * @param sector only requests that touch this sector of 512 bytes
   * @param once only the first of them
   */
  public record InjectError(Event event, Set<IoType> types, int state, int errno, OptionalLong sector, boolean once) {}

  /** A change of the state when an event happens. */
  public record SetState(Event event, int state, int newState) {}

  public BlkdebugRules {
    errors = List.copyOf(errors);
    changes = List.copyOf(changes);
  }

  private static final int EIO = 5;

  /**
   * Rules by their options, {@code inject-error.0.event} and so on.
   *
   * @param options those that are understood are taken out
   */
  public static BlkdebugRules read(Map<String, String> options) throws BlockException {
    List<InjectError> errors = new ArrayList<>();
    List<SetState> changes = new ArrayList<>();
    for (int i = 0; hasAny(options, "inject-error." + i + "."); i++) {
      errors.add(error(take(options, "inject-error." + i + ".")));
    }
    for (int i = 0; hasAny(options, "set-state." + i + "."); i++) {
      changes.add(change(take(options, "set-state." + i + ".")));
    }
    return new BlkdebugRules(errors, changes);
  }

  /** Rules of a configuration file: sections {@code [inject-error]} and {@code [set-state]}. */
  public static BlkdebugRules parse(String text) throws BlockException {
    Map<String, String> options = new HashMap<>();
    Map<String, Integer> counts = new HashMap<>();
    String section = "";
    for (String line : text.lines().map(String::strip).toList()) {
      int eq = line.indexOf('=');
      if (line.equals("[inject-error]") || line.equals("[set-state]")) {
        String kind = line.substring(1, line.length() - 1);
        section = kind + "." + (counts.merge(kind, 1, Integer::sum) - 1) + ".";
      } else if (eq > 0 && !section.isEmpty()) {
        options.put(section + line.substring(0, eq).strip(), line.substring(eq + 1).strip().replaceAll("^\"|\"$", ""));
      } else if (!line.isEmpty() && !line.startsWith("#")) {
        throw new BlockException("Could not parse blkdebug config file: '" + line + "'");
      }
    }
    return read(options);
  }

  /** The rules of both. */
  public BlkdebugRules and(BlkdebugRules more) {
    List<InjectError> allErrors = new ArrayList<>(errors);
    allErrors.addAll(more.errors);
    List<SetState> allChanges = new ArrayList<>(changes);
    allChanges.addAll(more.changes);
    return new BlkdebugRules(allErrors, allChanges);
  }

  private static boolean hasAny(Map<String, String> options, String prefix) {
    return options.keySet().stream().anyMatch(k -> k.startsWith(prefix));
  }

  private static Map<String, String> take(Map<String, String> options, String prefix) {
    Map<String, String> taken = new HashMap<>();
    options.entrySet().removeIf(
        e -> {
          if (!e.getKey().startsWith(prefix)) {
            return false;
          }
          taken.put(e.getKey().substring(prefix.length()).replace('-', '_'), e.getValue());
          return true;
        });
    return taken;
  }

  private static InjectError error(Map<String, String> o) throws BlockException {
    Event event = event(o);
    Set<IoType> types = EnumSet.allOf(IoType.class);
    String type = o.remove("iotype");
    if (type != null) {
      types = EnumSet.of(one(IoType.values(), IoType::text, "iotype", type));
    }
    int errno = (int) number(o, "errno", EIO);
    long sector = number(o, "sector", -1);
    boolean once = flag(o, "once");
    // Requests are never answered before they are looked at.
    flag(o, "immediately");
    InjectError error = new InjectError(event, types, (int) number(o, "state", 0), errno,
        sector < 0 ? OptionalLong.empty() : OptionalLong.of(sector), once);
    expectEmpty(o);
    return error;
  }

  private static SetState change(Map<String, String> o) throws BlockException {
    SetState change = new SetState(event(o), (int) number(o, "state", 0), (int) number(o, "new_state", 0));
    expectEmpty(o);
    return change;
  }

  private static Event event(Map<String, String> o) throws BlockException {
    String text = Optional.ofNullable(o.remove("event"))
        .orElseThrow(() -> new BlockException("Missing event name for rule"));
    return one(Event.values(), Event::text, "event", text);
  }

  private interface Name<T> {
    String of(T value);
  }

  private static <T> T one(T[] values, Name<T> name, String what, String text) throws BlockException {
    for (T value : values) {
      if (name.of(value).equals(text)) {
        return value;
      }
    }
    throw new BlockException("Parameter '" + what + "' does not accept value '" + text + "'");
  }

  private static long number(Map<String, String> o, String name, long otherwise) throws BlockException {
    String text = o.remove(name);
    if (text == null) {
      return otherwise;
    }
    if (!text.matches("-?[0-9]{1,18}")) {
      throw new BlockException("Parameter '" + name + "' expects a number, not '" + text + "'");
    }
    return Long.parseLong(text);
  }

  private static boolean flag(Map<String, String> o, String name) throws BlockException {
    String text = Optional.ofNullable(o.remove(name)).orElse("off");
    if (!text.equals("on") && !text.equals("off")) {
      throw new BlockException("Parameter '" + name + "' expects 'on' or 'off', not '" + text + "'");
    }
    return text.equals("on");
  }

  private static void expectEmpty(Map<String, String> o) throws BlockException {
    if (!o.isEmpty()) {
      throw new BlockException("Invalid parameter '" + o.keySet().iterator().next() + "'");
    }
  }
}
