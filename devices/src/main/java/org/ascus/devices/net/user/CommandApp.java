package org.ascus.devices.net.user;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.ProcessBuilder.Redirect;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Semaphore;

/** A program of the host as the other end of a connection of the guest: its standard input and output. */
final class CommandApp implements TcpConnection.App {
  private static final int LIMIT = 64 << 10;
  private static final int CHUNK = 8192;
  private static final byte[] END = new byte[0];

  private final TcpNat nat;
  private final Semaphore mayRead = new Semaphore(LIMIT / CHUNK);
  private final Deque<byte[]> input = new ArrayDeque<>();
  private TcpConnection connection;
  private Process process;
  private int queued;
  private int reserved;
  private boolean deaf;

  CommandApp(TcpNat nat) {
    this.nat = nat;
  }

  /** Starts the program; the guest is refused when that fails. */
  void start(TcpConnection c, List<String> words) {
    connection = c;
    try {
      process = new ProcessBuilder(words).redirectError(Redirect.INHERIT).start();
    } catch (IOException e) {
      c.reset();
      return;
    }
    c.accept();
    Thread.ofVirtual().name("ascus-guestfwd-in").start(this::write);
  }

  @Override
  public void opened() {
    Thread.ofVirtual().name("ascus-guestfwd-out").start(this::read);
  }

  private void read() {
    try (InputStream in = process.getInputStream()) {
      byte[] buffer = new byte[CHUNK];
      while (true) {
        mayRead.acquire();
        int count = in.read(buffer);
        if (count < 0) {
          break;
        }
        byte[] chunk = Arrays.copyOf(buffer, count);
        nat.loop().execute(() -> out(chunk));
      }
    } catch (IOException e) {
      // The program is gone: the same as its end of output.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    nat.loop().execute(() -> {
      connection.finish();
      connection.output();
    });
  }

  private void out(byte[] chunk) {
    connection.send(chunk, 0, chunk.length);
    reserved++;
    connection.output();
  }

  @Override
  public void sent() {
    while (reserved > 0 && connection.waiting() <= (reserved - 1) * CHUNK) {
      reserved--;
      mayRead.release();
    }
  }

  @Override
  public int room() {
    synchronized (input) {
      return Math.max(0, LIMIT - queued);
    }
  }

  @Override
  public void data(byte[] bytes, int start, int length) {
    put(Arrays.copyOfRange(bytes, start, start + length));
  }

  @Override
  public void ended() {
    put(END);
  }

  private void put(byte[] chunk) {
    synchronized (input) {
      if (deaf) {
        return;
      }
      input.add(chunk);
      queued += chunk.length;
      input.notifyAll();
    }
  }

  private void write() {
    try (OutputStream out = process.getOutputStream()) {
      while (true) {
        byte[] chunk;
        synchronized (input) {
          while (input.isEmpty()) {
            input.wait();
          }
          chunk = input.removeFirst();
        }
        if (chunk.length == 0) {
          return;
        }
        out.write(chunk);
        out.flush();
        synchronized (input) {
          queued -= chunk.length;
        }
        nat.loop().execute(connection::roomChanged);
      }
    } catch (IOException e) {
      // The program takes no more, which it may: the rest goes nowhere.
      synchronized (input) {
        deaf = true;
        input.clear();
        queued = 0;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void broken() {
    if (process != null) {
      process.destroy();
    }
    put(END);
  }

  @Override
  public void endOfBatch() {}
}
