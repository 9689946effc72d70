package org.ascus.devices.block.filter;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;

/** {@code blkdebug}: lets requests fail as its rules say, to see what becomes of it. */
public final class BlkdebugNode extends FilterNode {
  private static final int SECTOR = 512;

  private final List<BlkdebugRules.InjectError> errors;
  private final List<BlkdebugRules.SetState> changes;
  private int state = 1;

  BlkdebugNode(BlockNode node, BlkdebugRules rules) {
    super(node);
    this.errors = new ArrayList<>(rules.errors());
    this.changes = rules.changes();
  }

  private synchronized void pass(BlkdebugRules.IoType type, long offset, long length) throws BlockException {
    int before = state;
    for (BlkdebugRules.SetState change : changes) {
      if (change.event().is(type) && (change.state() == 0 || change.state() == before)) {
        state = change.newState();
      }
    }
    for (Iterator<BlkdebugRules.InjectError> all = errors.iterator(); all.hasNext(); ) {
      BlkdebugRules.InjectError error = all.next();
      long sector = error.sector().orElse(-1);
      boolean there = sector < 0 || type != BlkdebugRules.IoType.FLUSH
          && offset < (sector + 1) * SECTOR && offset + length > sector * SECTOR;
      if (error.event().is(type) && error.types().contains(type) && there
          && (error.state() == 0 || error.state() == before)) {
        if (error.once()) {
          all.remove();
        }
        if (error.errno() != 0) {
          throw new BlockException(name() + ": " + type.text() + " at " + offset + ": " + reason(error.errno()));
        }
        return;
      }
    }
  }

  private static String reason(int errno) {
    return switch (errno) {
      case 5 -> "Input/output error";
      case 28 -> "No space left on device";
      default -> "error " + errno;
    };
  }

  @Override
  public void read(long offset, ByteBuffer target) throws BlockException {
    pass(BlkdebugRules.IoType.READ, offset, target.remaining());
    super.read(offset, target);
  }

  @Override
  public void write(long offset, ByteBuffer source) throws BlockException {
    pass(BlkdebugRules.IoType.WRITE, offset, source.remaining());
    super.write(offset, source);
  }

  @Override
  public void flush() throws BlockException {
    pass(BlkdebugRules.IoType.FLUSH, 0, 0);
    super.flush();
  }

  @Override
  public void discard(long offset, long length) throws BlockException {
    pass(BlkdebugRules.IoType.DISCARD, offset, length);
    super.discard(offset, length);
  }

  @Override
  public void writeZeroes(long offset, long length, boolean mayUnmap) throws BlockException {
    pass(BlkdebugRules.IoType.WRITE_ZEROES, offset, length);
    super.writeZeroes(offset, length, mayUnmap);
  }
}
