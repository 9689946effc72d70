package org.ascus.launcher.options;

import java.util.Optional;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.filter.ThrottleGroup;
import org.ascus.devices.block.filter.ThrottleLimits;

/** Limits of disks: {@code -object throttle-group} and what {@code -drive} says about throttling. */
final class ThrottleArguments {
  static final String KIND = "throttle-group";
  static final String HELP =
      """
        limits.bps-total=, limits.bps-read=, limits.bps-write=     - Bytes a second
        limits.iops-total=, limits.iops-read=, limits.iops-write=  - Operations a second
        limits.<limit>-max=, limits.<limit>-max-length=            - As many in bursts, of so many seconds
        limits.iops-size=                                          - Bytes that count as one operation
        (x-<limit>= means the same)
      """;

  private ThrottleArguments() {}

  private static ThrottleLimits limits(ThrottleLimits.Source source) throws OptionException {
    try {
      return ThrottleLimits.read(source);
    } catch (BlockException e) {
      throw new OptionException(e.getMessage());
    }
  }

  /** The first of the names that is given. */
  private static long number(KeyValues kv, long otherwise, String... names) throws BlockException {
    try {
      for (String name : names) {
        if (kv.has(name)) {
          return kv.takeNumber(name, 0, Long.MAX_VALUE).orElse(otherwise);
        }
      }
      return otherwise;
    } catch (OptionException e) {
      throw new BlockException(e.getMessage());
    }
  }

  static ThrottleGroup group(String id, KeyValues kv) throws OptionException {
    return new ThrottleGroup(id, limits((name, otherwise) -> number(kv, otherwise, "limits." + name, "x-" + name)));
  }

  /** {@code bps-read-max} was {@code bps_rd_max} once, {@code bps-total} was {@code bps}. */
  private static String former(String name) {
    return name.replace("-total", "").replace("-read", "_rd").replace("-write", "_wr").replace('-', '_');
  }

  /** The group that a drive is in: one by name, made by the first that names it, or one of its own. */
  static Optional<ThrottleGroup> drive(Draft draft, KeyValues kv) throws OptionException {
    ThrottleLimits limits =
        limits((name, otherwise) -> number(kv, otherwise, "throttling." + name, former(name)));
    Optional<String> name = kv.take("throttling.group").or(() -> kv.take("group"));
    if (name.isEmpty()) {
      return limits.limits().isEmpty() ? Optional.empty() : Optional.of(new ThrottleGroup(limits));
    }
    ThrottleGroup known = draft.throttleGroups.computeIfAbsent(name.get(), n -> new ThrottleGroup(n, limits));
    if (!limits.limits().isEmpty() && !limits.equals(known.limits())) {
      throw new OptionException("throttling.group=" + name.get() + " has other limits already");
    }
    return Optional.of(known);
  }

  /** The group that {@code driver=throttle} names. */
  static ThrottleGroup named(Draft draft, KeyValues kv) throws OptionException {
    String id = kv.require("throttle-group");
    ThrottleGroup group = draft.throttleGroups.get(id);
    if (group == null) {
      throw new OptionException("Throttle group '" + id + "' does not exist");
    }
    return group;
  }
}
