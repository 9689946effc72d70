package org.ascus.devices.block.filter;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.DebugEvent;
import org.ascus.devices.host.Errno;

/**
 * {@code blkdebug}: lets requests fail as its rules say, to see what becomes of it, and makes them look as its limits
 * say before. Writes of less than a unit read the unit first and go on one at a time.
 */
public final class BlkdebugNode extends FilterNode {
  private static final int SECTOR = 512;

  private final List<BlkdebugRules.InjectError> errors;
  private final List<BlkdebugRules.SetState> changes;
  private final BlkdebugRules.Limits limits;
  private final Object changing = new Object();
  private List<BlkdebugRules.InjectError> armed = List.of();
  private int state = 1;

  BlkdebugNode(BlockNode node, BlkdebugRules rules) {
    super(node);
    this.errors = new ArrayList<>(rules.errors());
    this.changes = rules.changes();
    this.limits = rules.limits();
  }

  /** Rules for an event that the format tells apply to all requests from then on, until another such event. */
  @Override
  public synchronized void event(DebugEvent event) {
    int before = state;
    for (BlkdebugRules.SetState change : changes) {
      if (change.event() == event && (change.state() == 0 || change.state() == before)) {
        state = change.newState();
      }
    }
    List<BlkdebugRules.InjectError> now =
        errors.stream().filter(e -> e.event() == event && (e.state() == 0 || e.state() == before)).toList();
    armed = now.isEmpty() ? armed : now;
    super.event(event);
  }

  private synchronized void pass(BlkdebugRules.IoType type, long offset, long length) throws BlockException {
    int before = state;
    for (BlkdebugRules.SetState change : changes) {
      if (type.is(change.event()) && (change.state() == 0 || change.state() == before)) {
        state = change.newState();
      }
    }
    for (BlkdebugRules.InjectError error : List.copyOf(errors)) {
      boolean now = type.is(error.event()) && (error.state() == 0 || error.state() == before) || armed.contains(error);
      long sector = error.sector().orElse(-1);
      boolean there = sector < 0 || type != BlkdebugRules.IoType.FLUSH
          && offset < (sector + 1) * SECTOR && offset + length > sector * SECTOR;
      if (now && error.types().contains(type) && there) {
        if (error.once()) {
          errors.remove(error);
          armed = armed.stream().filter(e -> !e.equals(error)).toList();
        }
        if (error.errno() != 0) {
          String text = name() + ": " + type.text() + " at " + offset + ": " + Errno.text(error.errno());
          throw error.errno() == Errno.ENOSPC ? BlockException.noSpace(text, null) : new BlockException(text);
        }
        return;
      }
    }
  }

  private interface Piece {
    void run(long offset, ByteBuffer bytes) throws BlockException;
  }

  /** Does a request in pieces that are not too long. */
  private void inPieces(BlkdebugRules.IoType type, long offset, ByteBuffer bytes, Piece piece) throws BlockException {
    int end = bytes.limit();
    int most = limits.maxTransfer() == 0 ? Integer.MAX_VALUE : limits.maxTransfer();
    long base = offset - bytes.position();
    do {
      bytes.limit(bytes.position() + Math.min(most, end - bytes.position()));
      try {
        pass(type, base + bytes.position(), bytes.remaining());
        piece.run(base + bytes.position(), bytes);
      } finally {
        bytes.limit(end);
      }
    } while (bytes.hasRemaining());
  }

  private long down(long offset) {
    return offset & -limits.align();
  }

  /** The end of a request of whole units; the last of them may be cut off by the end of the node. */
  private long up(long end) {
    return Math.max(end, Math.min(size(), down(end + limits.align() - 1)));
  }

  private boolean isWhole(long offset, long length) {
    return down(offset) == offset && up(offset + length) == offset + length;
  }

  private void readPieces(long offset, ByteBuffer target) throws BlockException {
    inPieces(BlkdebugRules.IoType.READ, offset, target, super::read);
  }

  private void writePieces(long offset, ByteBuffer source) throws BlockException {
    inPieces(BlkdebugRules.IoType.WRITE, offset, source, super::write);
  }

  /** The whole units around a request, as they are now. */
  private ByteBuffer around(long offset, int length) throws BlockException {
    ByteBuffer units = ByteBuffer.allocate((int) (up(offset + length) - down(offset)));
    readPieces(down(offset), units);
    return units.clear();
  }

  @Override
  public void read(long offset, ByteBuffer target) throws BlockException {
    if (isWhole(offset, target.remaining())) {
      readPieces(offset, target);
    } else {
      checkRange(offset, target.remaining());
      ByteBuffer units = around(offset, target.remaining());
      target.put(units.slice((int) (offset - down(offset)), target.remaining()));
    }
  }

  @Override
  public void write(long offset, ByteBuffer source) throws BlockException {
    if (isWhole(offset, source.remaining())) {
      writePieces(offset, source);
      return;
    }
    checkWritable();
    checkRange(offset, source.remaining());
    synchronized (changing) {
      ByteBuffer units = around(offset, source.remaining());
      units.position((int) (offset - down(offset))).put(source);
      writePieces(down(offset), units.clear());
    }
  }

  @Override
  public void flush() throws BlockException {
    pass(BlkdebugRules.IoType.FLUSH, 0, 0);
    super.flush();
  }

  private interface Range {
    void run(long offset, long length) throws BlockException;
  }

  /**
   * Cuts a request up into an unaligned head, an unaligned tail and pieces between.
   *
   * @param unit what offsets are to be multiples of
   * @param most bytes of a piece; 0 for no limit
   * @param part what becomes of head and tail
   */
  private static void cut(long offset, long length, int unit, int most, Range part, Range whole)
      throws BlockException {
    long end = offset + length;
    long first = Math.min(end, Math.ceilDiv(offset, (long) unit) * unit);
    long last = Math.max(first, end / unit * unit);
    if (offset < first) {
      part.run(offset, first - offset);
    }
    for (long at = first; at < last; ) {
      long bytes = most == 0 ? last - at : Math.min(most, last - at);
      whole.run(at, bytes);
      at += bytes;
    }
    if (last < end) {
      part.run(last, end - last);
    }
  }

  @Override
  public void discard(long offset, long length) throws BlockException {
    checkRange(offset, length);
    int unit = Math.max(limits.align(), limits.optDiscard());
    cut(
        offset,
        length,
        unit,
        limits.maxDiscard(),
        (at, bytes) -> {},
        (at, bytes) -> {
          pass(BlkdebugRules.IoType.DISCARD, at, bytes);
          super.discard(at, bytes);
        });
  }

  @Override
  public void writeZeroes(long offset, long length, boolean mayUnmap) throws BlockException {
    checkRange(offset, length);
    int unit = Math.max(limits.align(), limits.optWriteZero());
    cut(
        offset,
        length,
        unit,
        limits.maxWriteZero(),
        (at, bytes) -> write(at, ByteBuffer.allocate((int) bytes)),
        (at, bytes) -> {
          pass(BlkdebugRules.IoType.WRITE_ZEROES, at, bytes);
          super.writeZeroes(at, bytes, mayUnmap);
        });
  }
}
