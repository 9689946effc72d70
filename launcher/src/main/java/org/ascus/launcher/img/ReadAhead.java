package org.ascus.launcher.img;

import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.Extent;

/**
 * Reads an image from its start to its end on a thread of its own, some pieces ahead of the one thread that uses them.
 */
final class ReadAhead implements AutoCloseable {
  private static final int BUFFERS = 4;

  /**
   * Bytes of the image.
   *
   * @param at offset of the first
   * @param below whether a backing file has them, where that is asked for; then there is no buffer
   * @param bytes empty if they are zero; from position 0 to the limit; good until the next piece is asked for
   */
  record Piece(long at, long length, boolean below, Optional<ByteBuffer> bytes) {}

  private final BlockNode node;
  private final Extents extents;
  private final int size;
  private final boolean own;
  private final BlockingQueue<ByteBuffer> free = new ArrayBlockingQueue<>(BUFFERS);
  private final BlockingQueue<Piece> ready = new ArrayBlockingQueue<>(BUFFERS);
  private final Thread thread;
  private Optional<ByteBuffer> used = Optional.empty();
  private volatile Optional<Exception> failure = Optional.empty();

  /**
   * @param node read until {@link #close}
   * @param size bytes of data in a piece at most, a power of two; pieces end at its multiples
   * @param own what is in a backing file is not read
   */
  ReadAhead(BlockNode node, int size, boolean own) {
    this.node = node;
    this.extents = new Extents(node);
    this.size = size;
    this.own = own;
    for (int i = 0; i < BUFFERS; i++) {
      free.add(ByteBuffer.allocateDirect(size));
    }
    thread = Thread.ofPlatform().daemon().name("ascus-read-ahead").start(this::run);
  }

  private void run() {
    try {
      long end = node.size();
      for (long at = 0; at < end; ) {
        Piece piece = piece(at);
        ready.put(piece);
        at += piece.length();
      }
    } catch (InterruptedException _) {
      return;
    } catch (BlockException | RuntimeException e) {
      failure = Optional.of(e);
    }
    try {
      ready.put(new Piece(node.size(), 0, false, Optional.empty()));
    } catch (InterruptedException _) {
      // Nobody wants to know any more.
    }
  }

  private Piece piece(long at) throws BlockException, InterruptedException {
    Extent extent = extents.at(at);
    boolean below = own && extent.depth() > 0;
    if (below || extent.zero()) {
      return new Piece(at, extent.length(), below, Optional.empty());
    }
    ByteBuffer buffer = free.take().clear();
    node.read(at, buffer.limit((int) Math.min(extent.length(), size - at % size)));
    return new Piece(at, buffer.flip().limit(), false, Optional.of(buffer));
  }

  /** The next piece; one of no bytes at the end, behind which there is no more to ask for. */
  Piece next() throws BlockException {
    used.ifPresent(free::add);
    used = Optional.empty();
    try {
      Piece piece = ready.take();
      used = piece.bytes();
      if (piece.length() == 0 && failure.isPresent()) {
        switch (failure.get()) {
          case BlockException e -> throw e;
          case RuntimeException e -> throw e;
          default -> throw new IllegalStateException(failure.get());
        }
      }
      return piece;
    } catch (InterruptedException e) {
      throw new BlockException(node.name() + ": interrupted", e);
    }
  }

  /** Waits until the image is not read any more. */
  @Override
  public void close() {
    thread.interrupt();
    boolean interrupted = false;
    while (true) {
      try {
        thread.join();
        break;
      } catch (InterruptedException _) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
