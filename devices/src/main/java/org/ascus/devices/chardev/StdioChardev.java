package org.ascus.devices.chardev;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.util.Optional;

/**
 * Standard input and output of the process; one at most in a process. A terminal is in raw mode from the moment a
 * device or multiplexer is connected until {@link #close}, which the end of the process calls too, whatever ends it but
 * SIGKILL. The end of standard input is the end of input and nothing else.
 */
public final class StdioChardev implements CharBackend {
  private final InputStream in;
  private final StreamChardev streams;
  private final Optional<HostTerminal> terminal;
  private final boolean signals;
  private final Thread hook = new Thread(this::release, "ascus-stdio-restore");
  private boolean connected;
  private boolean closed;

  /** For a terminal whose interrupt key ends the process. */
  public StdioChardev() {
    this(true);
  }

  /**
   * @param signals on a terminal the interrupt, quit and suspend keys act on the process; otherwise the guest gets them
   */
  public StdioChardev(boolean signals) {
    this(standardInput(), standardOutput(), HostTerminal.find(), signals);
  }

  StdioChardev(InputStream in, OutputStream out, Optional<HostTerminal> terminal, boolean signals) {
    this.in = in;
    this.terminal = terminal;
    this.signals = signals;
    this.streams = new StreamChardev("stdio", in, out);
  }

  /**
   * Standard input as a stream whose {@code close} ends a read that waits, and leaves the descriptor open: the JVM's
   * exit waits 0.3 s for a thread that is in such a read.
   */
  private static InputStream standardInput() {
    var whole =
        new FileInputStream(FileDescriptor.in) {
          @Override
          public void close() {
            // Standard input belongs to the process.
          }
        };
    return Channels.newInputStream(whole.getChannel());
  }

  private static OutputStream standardOutput() {
    return new FileOutputStream(FileDescriptor.out) {
      @Override
      public void close() {
        // Standard output stays open for the rest of the process.
      }
    };
  }

  @Override
  public void write(byte[] data, int offset, int length) {
    streams.write(data, offset, length);
  }

  @Override
  public boolean hasRoom() {
    return streams.hasRoom();
  }

  @Override
  public void connect(CharReceiver receiver) {
    synchronized (this) {
      if (!connected) {
        connected = true;
        Runtime.getRuntime().addShutdownHook(hook);
        terminal.ifPresent(t -> t.makeRaw(signals));
      }
    }
    streams.connect(receiver);
  }

  @Override
  public void acceptInput() {
    streams.acceptInput();
  }

  private void release() {
    try {
      in.close();
    } catch (IOException e) {
      // Nobody reads any more, which is all that was wanted.
    }
    streams.flush();
    terminal.ifPresent(HostTerminal::restore);
  }

  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    release();
    streams.close();
    if (connected) {
      try {
        Runtime.getRuntime().removeShutdownHook(hook);
      } catch (IllegalStateException e) {
        // The process ends already.
      }
    }
  }
}
