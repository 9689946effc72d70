package org.ascus.devices.net.tap;

import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;

/**
 * Programs that set an interface up and take it down again; each gets its name as the only argument.
 *
 * @param up empty for none
 * @param down empty for none
 */
public record TapScripts(String up, String down) {
  /** No scripts. */
  public static final TapScripts NONE = new TapScripts("", "");

  void up(String name) throws IOException {
    if (!up.isEmpty()) {
      int status = run(up, name);
      if (status != 0) {
        throw new IOException("network script " + up + " failed with status " + status);
      }
    }
  }

  void down(String name) {
    if (!down.isEmpty()) {
      try {
        int ignored = run(down, name);
      } catch (IOException e) {
        // The machine ends whether the script is there or not.
      }
    }
  }

  private static int run(String program, String name) throws IOException {
    try {
      // Its output must not get into the guest's console.
      return new ProcessBuilder(program, name)
          .redirectInput(Redirect.from(new File("/dev/null")))
          .redirectOutput(Redirect.DISCARD)
          .redirectError(Redirect.INHERIT)
          .start()
          .waitFor();
    } catch (IOException e) {
      throw new IOException("could not launch network script " + program, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted in network script " + program, e);
    }
  }

  String describe() {
    return ",script=" + (up.isEmpty() ? "no" : up) + ",downscript=" + (down.isEmpty() ? "no" : down);
  }
}
