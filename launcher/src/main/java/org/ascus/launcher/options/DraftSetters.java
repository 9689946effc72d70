package org.ascus.launcher.options;

/** Options that only set something. */
final class DraftSetters {
  private DraftSetters() {}

  static void name(Draft draft, String argument) throws OptionException {
    KeyValues kv = KeyValues.parse(argument, "guest");
    kv.take("guest").ifPresent(n -> draft.name = n);
    kv.take("process");
    kv.takeSwitch("debug-threads", false);
    kv.expectEmpty();
  }
}
