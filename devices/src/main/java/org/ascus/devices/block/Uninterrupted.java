package org.ascus.devices.block;

import java.io.IOException;

/**
 * Requests that a thread finishes before it learns that it was interrupted: an interrupt would close the channel that
 * others use, too.
 */
public final class Uninterrupted {
  /** What is to be done. */
  public interface Body {
    void run() throws IOException;
  }

  private Uninterrupted() {}

  /**
   * What is to be done and gives something.
   *
   * @param <T> what it gives
   * @param <E> how it fails
   */
  public interface Source<T, E extends Exception> {
    T get() throws E;
  }

  /** Does it. */
  public static void run(Body body) throws IOException {
    get(
        () -> {
          body.run();
          return true;
        });
  }

  /** Does it and returns what it gives. */
  public static <T, E extends Exception> T get(Source<T, E> source) throws E {
    boolean interrupted = Thread.interrupted();
    try {
      return source.get();
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
