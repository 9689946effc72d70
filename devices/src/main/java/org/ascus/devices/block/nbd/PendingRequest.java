package org.ascus.devices.block.nbd;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.ascus.devices.host.Errno;

/** A request on its way. The thread that sent it waits; the connection's thread fills it in. */
final class PendingRequest {
  final ByteBuffer target;
  final long offset;
  final int length;
  final List<long[]> extents = new ArrayList<>();
  private Optional<String> error = Optional.empty();
  private boolean noSpace;
  private boolean done;

  PendingRequest(ByteBuffer target, long offset, int length) {
    this.target = target;
    this.offset = offset;
    this.length = length;
  }

  /** Whether it failed since the server's disk is full. */
  synchronized boolean noSpace() {
    return noSpace;
  }

  /** The server failed to do it; more answers may come. */
  synchronized void fail(int number, String said) {
    noSpace |= number == Wire.ENOSPC;
    error = Optional.of(Errno.text(number) + (said.isEmpty() ? "" : " (" + said + ")"));
  }

  synchronized void finish(Optional<String> how) {
    error = error.isPresent() ? error : how;
    done = true;
    notifyAll();
  }

  synchronized Optional<String> await() {
    boolean interrupted = false;
    while (!done) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return error;
  }
}
