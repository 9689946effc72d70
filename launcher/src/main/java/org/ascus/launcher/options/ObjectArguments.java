package org.ascus.launcher.options;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.ascus.devices.block.IoThread;
import org.ascus.polyglot.HostObject;

/** {@code -object}, and what the machine takes of it. */
final class ObjectArguments {
  private ObjectArguments() {}

  static void object(Draft draft, String argument) throws OptionException {
    KeyValues kv = KeyValues.parseOrJson(argument, "qom-type");
    Optional<String> type = kv.take("qom-type");
    if (kv.asksForHelp()) {
      draft.answer(type.isEmpty() ? list() : properties(type.get()));
      return;
    }
    String kind = type.orElseThrow(() -> new OptionException("Parameter 'qom-type' is missing"));
    checkKind(kind);
    String id = kv.requireId();
    if (draft.objects.stream().anyMatch(o -> !(o instanceof HostObject.Folder) && o.id().equals(id))) {
      throw new OptionException("there is another object with id '" + id + "'");
    }
    if (draft.security.has(id) || draft.throttleGroups.containsKey(id)) {
      throw new OptionException("there is another object with id '" + id + "'");
    }
    if (kind.equals(ThrottleArguments.KIND)) {
      draft.throttleGroups.put(id, ThrottleArguments.group(id, kv));
      kv.expectEmpty();
      return;
    }
    if (SecurityArguments.KINDS.containsKey(kind)) {
      draft.security.make(kind, id, kv);
      kv.expectEmpty();
      return;
    }
    String option = "-object " + argument;
    if (FilterArguments.KINDS.containsKey(kind)) {
      draft.objects.add(FilterArguments.parse(option, kind, id, kv));
      kv.expectEmpty();
      return;
    }
    draft.objects.add(
        switch (kind) {
          case "rng-random" ->
              new HostObject.Rng(option, id, Optional.of(Path.of(kv.take("filename").orElse("/dev/urandom"))));
          case "iothread" -> iothread(option, id, kv);
          case "rng-builtin" -> new HostObject.Rng(option, id, Optional.empty());
          default -> ram(option, id, kv);
        });
    kv.expectEmpty();
  }

  private static HostObject iothread(String option, String id, KeyValues kv) throws OptionException {
    // How long QEMU's thread polls before it sleeps, and how requests are batched: ours never poll.
    for (String tuning : new String[] {"poll-max-ns", "poll-grow", "poll-shrink", "aio-max-batch"}) {
      kv.takeNumber(tuning, 0, Long.MAX_VALUE);
    }
    kv.takeNumber("thread-pool-min", 0, Integer.MAX_VALUE);
    int threads = (int) kv.takeNumber("thread-pool-max", 1, 1 << 16).orElse(IoThread.DEFAULT_MOST);
    return new HostObject.Iothread(option, id, threads);
  }

  private static HostObject ram(String option, String id, KeyValues kv) throws OptionException {
    // RAM is always private to the process and taken from the host when the guest touches it.
    if (kv.takeSwitch("share", false) || kv.takeSwitch("prealloc", false)) {
      throw new OptionException("share=on and prealloc=on are not supported yet");
    }
    long size = KeyValues.size("size", kv.require("size"), 1);
    if (size <= 0) {
      throw new OptionException("property 'size' of memory-backend-ram doesn't take value '0'");
    }
    return new HostObject.Ram(option, id, size);
  }

  private static void checkKind(String kind) throws OptionException {
    if (!list().contains("  " + kind + "\n")) {
      throw new OptionException("Parameter 'qom-type' does not accept value '" + kind + "' (see -object help)");
    }
  }

  private static String list() {
    List<String> kinds = new ArrayList<>();
    kinds.addAll(List.of("iothread", "memory-backend-ram", "rng-builtin", "rng-random"));
    kinds.addAll(FilterArguments.KINDS.keySet());
    kinds.addAll(SecurityArguments.KINDS.keySet());
    kinds.add(ThrottleArguments.KIND);
    return kinds.stream().sorted().collect(Collectors.joining("\n  ", "List of user creatable objects:\n  ", "\n"));
  }

  private static String properties(String kind) throws OptionException {
    checkKind(kind);
    if (SecurityArguments.KINDS.containsKey(kind)) {
      return kind + " options:\n" + SecurityArguments.KINDS.get(kind);
    }
    if (FilterArguments.KINDS.containsKey(kind)) {
      return kind + " options:\n" + FilterArguments.KINDS.get(kind);
    }
    return kind + " options:\n"
        + switch (kind) {
          case "rng-random" -> "  filename=<string>      - Where random bytes come from (default: /dev/urandom)\n";
          case ThrottleArguments.KIND -> ThrottleArguments.HELP;
          case "rng-builtin" -> "";
          case "iothread" ->
              "  thread-pool-max=<int64> - Threads that wait for disks at the same time (default: 64)\n";
          default -> "  size=<size>            - Bytes, the same as -m; for -machine memory-backend=ID\n";
        };
  }

  /** The size of the RAM that {@code -machine memory-backend} names, which {@code -m} must not contradict. */
  static long ramSize(Draft draft, String id) throws OptionException {
    String option = "-machine memory-backend=" + id + ": ";
    for (HostObject object : draft.objects) {
      if (object instanceof HostObject.Ram ram && ram.id().equals(id)) {
        if (draft.ramSizeGiven && draft.ramSize != ram.size()) {
          throw new OptionException(
              option + "Size specified by -m option (" + draft.ramSize + ") must match size of memory backend ("
                  + ram.size() + ")");
        }
        return ram.size();
      }
    }
    throw new OptionException(option + "Memory backend '" + id + "' not found");
  }
}
