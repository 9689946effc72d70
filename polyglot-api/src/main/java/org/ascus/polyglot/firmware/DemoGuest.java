package org.ascus.polyglot.firmware;

/** A guest that needs nothing: it greets, tells what machine it runs on and echoes what is typed; Ctrl-D ends it. */
public final class DemoGuest {
  private DemoGuest() {}

  /** Its machine code, for the start of RAM, to be run in M mode as firmware. */
  public static byte[] bytes() {
    return GuestSource.assemble("demo.s");
  }
}
