package org.ascus.tests.support;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A process whose standard input and output are a console: send text, expect text, wait for the end.
 *
 * <p>For one test thread. Bytes are taken as ISO 8859-1 so that nothing is lost. The standard error goes to the same
 * console. Closing kills the process.
 */
public final class ConsoleProcess implements AutoCloseable {
  private static final int TAIL = 2000;

  private final Process process;
  private final StringBuilder output = new StringBuilder();
  private int expectedUpTo;
  private boolean ended;

  /** Starts the command. */
  public ConsoleProcess(List<String> command) throws IOException {
    process = new ProcessBuilder(command).redirectErrorStream(true).start();
    Thread.ofPlatform().daemon().name("console-reader").start(this::readAll);
  }

  private void readAll() {
    byte[] buffer = new byte[4096];
    try (InputStream in = process.getInputStream()) {
      for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
        append(new String(buffer, 0, count, StandardCharsets.ISO_8859_1));
      }
    } catch (IOException e) {
      append("[console: " + e + "]");
    }
    synchronized (output) {
      ended = true;
      output.notifyAll();
    }
  }

  private void append(String text) {
    synchronized (output) {
      output.append(text);
      output.notifyAll();
    }
  }

  /** The host's number of the process. */
  public long pid() {
    return process.pid();
  }

  /** Types the text; add the line end yourself. */
  public void send(String text) throws IOException {
    process.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
    process.getOutputStream().flush();
  }

  /** Ends the process's standard input. */
  public void closeInput() throws IOException {
    process.getOutputStream().close();
  }

  /**
   * Waits for the text to appear after what was expected before, and returns what came up to and including it.
   *
   * @throws AssertionError with the console's tail if it does not come in time or the process ends first
   */
  public String expect(String text, Duration limit) throws InterruptedException {
    long deadline = System.nanoTime() + limit.toNanos();
    synchronized (output) {
      while (true) {
        int found = output.indexOf(text, expectedUpTo);
        if (found >= 0) {
          int end = found + text.length();
          String passed = output.substring(expectedUpTo, end);
          expectedUpTo = end;
          return passed;
        }
        long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
        if (ended || left <= 0) {
          throw new AssertionError(
              (ended ? "the process ended" : "nothing in " + limit) + ", expecting \"" + text + "\"; " + tail());
        }
        output.wait(left);
      }
    }
  }

  /**
   * Waits for the process to end and returns its exit status.
   *
   * @throws AssertionError with the console's tail if it does not end in time
   */
  public int awaitExit(Duration limit) throws InterruptedException {
    long deadline = System.nanoTime() + limit.toNanos();
    if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
      throw new AssertionError("the process still runs after " + limit + "; " + tail());
    }
    synchronized (output) {
      while (!ended && System.nanoTime() < deadline) {
        output.wait(100);
      }
    }
    return process.exitValue();
  }

  /** Everything on the console so far. */
  public String output() {
    synchronized (output) {
      return output.toString();
    }
  }

  private String tail() {
    String all = output();
    return "the console ends with:\n" + all.substring(Math.max(0, all.length() - TAIL));
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
