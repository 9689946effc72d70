package org.ascus.devices.block.nbd;

import java.nio.ByteBuffer;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.Extent;

/**
 * {@code driver=nbd}: the bytes of another machine's export. A connection that is lost is made again by the next
 * request; requests that were on their way are repeated, which is harmless, if there is time to reconnect.
 */
final class NbdNode implements BlockNode {
  private static final int SECTOR = 512;
  private static final int MOST_ZEROES = 1 << 30;

  private final NbdAddress address;
  private final boolean readOnly;
  private final long size;
  private final long exact;
  private final int block;
  private final Object edges = new Object();
  private NbdConnection connection;
  private boolean closed;

  private NbdNode(NbdAddress address, NbdConnection connection, boolean readOnly) {
    this.address = address;
    this.connection = connection;
    this.readOnly = readOnly || connection.agreed().has(Wire.READ_ONLY);
    this.exact = connection.agreed().size();
    this.size = Math.ceilDiv(exact, (long) SECTOR) * SECTOR;
    this.block = connection.agreed().minimumBlock();
  }

  static NbdNode open(NbdAddress address, boolean readOnly) throws BlockException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(address.openSeconds());
    while (true) {
      try {
        return new NbdNode(address, NbdConnection.open(address), readOnly);
      } catch (BlockException e) {
        if (System.nanoTime() >= end) {
          throw e;
        }
        pause();
      }
    }
  }

  private static void pause() throws BlockException {
    try {
      TimeUnit.SECONDS.sleep(1);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new BlockException("interrupted while waiting for an NBD server", e);
    }
  }

  private interface Request {
    void run(NbdConnection on) throws BlockException, NbdConnection.LostException;
  }

  private void request(Request body) throws BlockException {
    long end = 0;
    while (true) {
      String why;
      try {
        body.run(connected());
        return;
      } catch (NbdConnection.LostException e) {
        why = e.getMessage();
      } catch (ReconnectException e) {
        why = e.getMessage();
      }
      long now = System.nanoTime();
      end = end == 0 ? now + TimeUnit.SECONDS.toNanos(address.reconnectSeconds()) : end;
      if (now >= end) {
        throw new BlockException(address.url() + ": " + why);
      }
      pause();
    }
  }

  private static final class ReconnectException extends Exception {
    private static final long serialVersionUID = 1L;

    ReconnectException(BlockException cause) {
      super(cause.getMessage(), cause);
    }
  }

  private synchronized NbdConnection connected() throws BlockException, ReconnectException {
    if (closed) {
      throw new BlockException(address.url() + " is closed");
    }
    if (connection.isLost()) {
      connection.close();
      NbdConnection fresh;
      try {
        fresh = NbdConnection.open(address);
      } catch (BlockException e) {
        throw new ReconnectException(e);
      }
      NbdHandshake.Agreed now = fresh.agreed();
      if (now.size() != exact || now.minimumBlock() > block || !readOnly && now.has(Wire.READ_ONLY)) {
        fresh.close();
        throw new BlockException(address.url() + ": another export is there after the connection was lost");
      }
      connection = fresh;
    }
    return connection;
  }

  private synchronized NbdConnection current() {
    return connection;
  }

  @Override
  public String name() {
    return address.url();
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public boolean readOnly() {
    return readOnly;
  }

  @Override
  public void read(long offset, ByteBuffer target) throws BlockException {
    checkRange(offset, target.remaining());
    int end = target.limit();
    long at = offset;
    while (target.position() < end) {
      int count = (int) Math.min(Math.min(end - target.position(), current().agreed().maximumBlock()), exact - at);
      if (count <= 0) {
        target.limit(end);
        while (target.hasRemaining()) {
          target.put((byte) 0);
        }
        return;
      }
      ByteBuffer piece = target.slice(target.position(), count);
      readAligned(at, piece);
      target.position(target.position() + count);
      at += count;
    }
  }

  private void readAligned(long at, ByteBuffer target) throws BlockException {
    if ((at | target.remaining()) % block == 0) {
      request(c -> c.read(at, target));
      return;
    }
    long first = at / block * block;
    long last = Math.min(Math.ceilDiv(at + target.remaining(), (long) block) * block, exact);
    ByteBuffer whole = ByteBuffer.allocate((int) (last - first));
    readPieces(first, whole);
    target.put(whole.clear().position((int) (at - first)).limit((int) (at - first) + target.remaining()));
  }

  /** Reads blocks, of which there may be one more than the server takes at once. */
  private void readPieces(long at, ByteBuffer target) throws BlockException {
    int most = current().agreed().maximumBlock();
    for (int done = 0; done < target.capacity(); done += most) {
      ByteBuffer piece = target.slice(done, Math.min(most, target.capacity() - done));
      long from = at + done;
      request(c -> c.read(from, piece));
    }
  }

  @Override
  public void write(long offset, ByteBuffer source) throws BlockException {
    checkWritable();
    checkRange(offset, source.remaining());
    if (source.remaining() > exact - offset) {
      throw new BlockException(address.url() + ": write behind the end of the export");
    }
    int most = current().agreed().maximumBlock();
    long at = offset;
    while (source.hasRemaining()) {
      boolean aligned = at % block == 0 && source.remaining() >= block;
      int room = aligned ? most : block - (int) (at % block);
      int count = Math.min(source.remaining(), room);
      count = aligned && count < most ? count / block * block : count;
      ByteBuffer piece = source.slice(source.position(), count);
      long to = at;
      if (aligned) {
        request(c -> c.write(to, piece.duplicate()));
      } else {
        writeInside(to, piece);
      }
      source.position(source.position() + count);
      at += count;
    }
  }

  /** Changes a part of a block. */
  private void writeInside(long at, ByteBuffer source) throws BlockException {
    synchronized (edges) {
      long first = at / block * block;
      ByteBuffer whole = ByteBuffer.allocate((int) Math.min(block, exact - first));
      request(c -> c.read(first, whole));
      whole.put((int) (at - first), source, source.position(), source.remaining());
      request(c -> c.write(first, whole.duplicate()));
    }
  }

  @Override
  public void flush() throws BlockException {
    if (!readOnly && current().agreed().has(Wire.SEND_FLUSH)) {
      request(c -> c.command(Wire.CMD_FLUSH, 0, 0, 0));
    }
  }

  @Override
  public void discard(long offset, long length) throws BlockException {
    checkWritable();
    checkRange(offset, length);
    if (current().agreed().has(Wire.SEND_TRIM)) {
      long first = Math.ceilDiv(offset, (long) block) * block;
      long last = Math.min(offset + length, exact) / block * block;
      for (long at = first; at < last; at += MOST_ZEROES) {
        long from = at;
        int count = (int) Math.min(MOST_ZEROES, last - at);
        request(c -> c.command(Wire.CMD_TRIM, 0, from, count));
      }
    }
  }

  @Override
  public void writeZeroes(long offset, long length, boolean mayUnmap) throws BlockException {
    checkWritable();
    checkRange(offset, length);
    long end = Math.min(offset + length, exact);
    long first = Math.min(Math.ceilDiv(offset, (long) block) * block, end);
    long last = Math.max(first, end / block * block);
    boolean known = current().agreed().has(Wire.SEND_WRITE_ZEROES);
    writeZeroData(offset, known ? first : end);
    for (long at = first; at < last && known; at += MOST_ZEROES) {
      long from = at;
      int count = (int) Math.min(MOST_ZEROES, last - at);
      request(c -> c.command(Wire.CMD_WRITE_ZEROES, mayUnmap ? 0 : Wire.FLAG_NO_HOLE, from, count));
    }
    if (known) {
      writeZeroData(last, end);
    }
  }

  private void writeZeroData(long from, long to) throws BlockException {
    for (long at = from; at < to; ) {
      int count = (int) Math.min(1 << 20, to - at);
      write(at, ByteBuffer.allocate(count));
      at += count;
    }
  }

  @Override
  public Extent extent(long offset, long length) throws BlockException {
    checkRange(offset, length);
    if (offset >= exact) {
      return Extent.zero(length, OptionalLong.empty());
    }
    if (!current().agreed().allocation()) {
      return Extent.data(length, offset);
    }
    long first = offset / block * block;
    long last = Math.min(Math.ceilDiv(offset + length, (long) block) * block, exact);
    int count = (int) Math.min(MOST_ZEROES, last - first);
    long[][] status = new long[1][];
    request(c -> status[0] = c.status(first, count));
    long known = Math.min(status[0][0] - (offset - first), length);
    if (known <= 0) {
      return Extent.data(Math.min(length, block - (offset - first)), offset);
    }
    boolean zero = (status[0][1] & Wire.STATE_ZERO) != 0;
    boolean hole = (status[0][1] & Wire.STATE_HOLE) != 0;
    return new Extent(known, 0, true, zero, !hole || !zero, false, OptionalLong.of(offset));
  }

  @Override
  public synchronized void close() throws BlockException {
    if (!closed) {
      try {
        if (!connection.isLost()) {
          flush();
        }
      } finally {
        closed = true;
        connection.close();
      }
    }
  }
}
