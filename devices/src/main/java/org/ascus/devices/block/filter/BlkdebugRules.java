package org.ascus.devices.block.filter;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
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
import org.ascus.devices.block.DebugEvent;
import org.ascus.devices.block.protocol.Keys;

/**
 * When {@code blkdebug} lets requests fail (QEMU's docs/devel/blkdebug.txt). Of QEMU's events only those are known that
 * happen where requests pass; the events inside of formats are not.
 *
 * @param errors what fails
 * @param changes what changes the state, which is 1 at first
 * @param limits what requests are made to look like
 */
public record BlkdebugRules(List<InjectError> errors, List<SetState> changes, Limits limits) {
  /**
   * What requests look like that pass. Whatever does not is cut up or made larger first.
   *
   * @param align bytes that offsets and lengths of reads and writes are multiples of
   * @param maxTransfer bytes of a read or write at most; 0 for no limit, here and below
   * @param optWriteZero bytes of which requests to write zeroes are multiples; others become writes
   * @param maxWriteZero bytes of a request to write zeroes at most
   * @param optDiscard bytes of which discards are multiples; others are left out
   * @param maxDiscard bytes of a discard at most
   */
  public record Limits(
      int align, int maxTransfer, int optWriteZero, int maxWriteZero, int optDiscard, int maxDiscard) {
    static final Limits NONE = new Limits(1, 0, 0, 0, 0, 0);

    private static Limits read(Map<String, String> options) throws BlockException {
      long align = size(options, "align");
      if (align > MOST || align > 0 && Long.bitCount(align) != 1) {
        throw unmet("align", align);
      }
      int unit = (int) Math.max(1, align);
      int maxTransfer = multiple(options, "max-transfer", unit);
      int optWriteZero = multiple(options, "opt-write-zero", unit);
      int maxWriteZero = multiple(options, "max-write-zero", Math.max(optWriteZero, unit));
      int optDiscard = multiple(options, "opt-discard", unit);
      int maxDiscard = multiple(options, "max-discard", Math.max(optDiscard, unit));
      return new Limits(unit, maxTransfer, optWriteZero, maxWriteZero, optDiscard, maxDiscard);
    }

    private static int multiple(Map<String, String> options, String name, int unit) throws BlockException {
      long value = size(options, name);
      if (value > MOST || value % unit != 0) {
        throw unmet(name, value);
      }
      return (int) value;
    }

    private static long size(Map<String, String> options, String name) throws BlockException {
      return new Keys(options).size(name, 0);
    }

    private static BlockException unmet(String name, long value) {
      return new BlockException("Cannot meet constraints with " + name + " " + value);
    }
  }

  /** Bytes of any limit, at most. */
  private static final long MOST = 1 << 30;

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

    /** Whether such a request is the event; others are told by whoever uses the node. */
    boolean is(DebugEvent event) {
      return switch (event) {
        case NONE -> true;
        case READ_AIO -> this == READ;
        case WRITE_AIO -> this == WRITE;
        case PWRITEV_ZERO -> this == WRITE_ZEROES;
        case FLUSH_TO_DISK -> this == FLUSH;
        default -> false;
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
  public record InjectError(
      DebugEvent event, Set<IoType> types, int state, int errno, OptionalLong sector, boolean once) {}

  /** A change of the state when an event happens. */
  public record SetState(DebugEvent event, int state, int newState) {}

  public BlkdebugRules {
    errors = List.copyOf(errors);
    changes = List.copyOf(changes);
  }

  private static final int EIO = 5;

  /**
   * Rules by their options, {@code inject-error.0.event} and so on, limits, and {@code config}, a file with more rules.
   *
   * @param options those that are understood are taken out
   */
  public static BlkdebugRules read(Map<String, String> options) throws BlockException {
    String config = options.remove("config");
    BlkdebugRules rules = rules(options);
    Limits limits = Limits.read(options);
    if (config != null) {
      try {
        rules = parse(Files.readString(Path.of(config))).and(rules);
      } catch (IOException | InvalidPathException e) {
        throw new BlockException("Could not read blkdebug config file '" + config + "'", e);
      }
    }
    return new BlkdebugRules(rules.errors, rules.changes, limits);
  }

  private static BlkdebugRules rules(Map<String, String> options) throws BlockException {
    List<InjectError> errors = new ArrayList<>();
    List<SetState> changes = new ArrayList<>();
    for (int i = 0; hasAny(options, "inject-error." + i + "."); i++) {
      errors.add(error(take(options, "inject-error." + i + ".")));
    }
    for (int i = 0; hasAny(options, "set-state." + i + "."); i++) {
      changes.add(change(take(options, "set-state." + i + ".")));
    }
    return new BlkdebugRules(errors, changes, Limits.NONE);
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
    return rules(options);
  }

  private BlkdebugRules and(BlkdebugRules more) {
    List<InjectError> allErrors = new ArrayList<>(errors);
    allErrors.addAll(more.errors);
    List<SetState> allChanges = new ArrayList<>(changes);
    allChanges.addAll(more.changes);
    return new BlkdebugRules(allErrors, allChanges, limits);
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
    DebugEvent event = event(o);
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

  private static DebugEvent event(Map<String, String> o) throws BlockException {
    String text = Optional.ofNullable(o.remove("event"))
        .orElseThrow(() -> new BlockException("Missing event name for rule"));
    return one(DebugEvent.values(), DebugEvent::text, "event", text);
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
