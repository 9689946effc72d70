package org.ascus.devices.block.format.foreign;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.Map;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;

/**
 * Reads the numbers of an image's header and tables, whatever their places, and keeps the pieces of the file that were
 * used last: a table may say that it is huge, and nothing is allocated for it. For any thread.
 */
final class FieldReader {
  private static final int PIECE = 4096;
  private static final int PIECES = 1024;

  private final BlockNode file;
  private final ByteOrder order;
  private final Map<Long, ByteBuffer> pieces = new LinkedHashMap<>(16, 0.75f, true);

  FieldReader(BlockNode file, ByteOrder order) {
    this.file = file;
    this.order = order;
  }

  BlockNode file() {
    return file;
  }

  /** Bytes of the file, for headers; they must be inside. */
  ByteBuffer bytes(long offset, int length) throws BlockException {
    if (offset < 0 || offset > file.size() - length) {
      throw failure("a header of " + length + " bytes at offset " + Long.toUnsignedString(offset)
          + " is outside the file of " + file.size() + " bytes");
    }
    ByteBuffer bytes = ByteBuffer.allocate(length).order(order);
    file.read(offset, bytes);
    return bytes.flip();
  }

  /** Fails unless a table is inside the file. */
  void checkTable(String name, long offset, long bytes) throws BlockException {
    if (offset < 0 || bytes < 0 || bytes > file.size() || offset > file.size() - bytes) {
      throw failure(name + " of " + Long.toUnsignedString(bytes) + " bytes at offset "
          + Long.toUnsignedString(offset) + " is outside the file of " + file.size() + " bytes");
    }
  }

  /** The unsigned 32-bit number at a multiple of 4. */
  long u32(long offset) throws BlockException {
    return piece(offset).getInt((int) (offset % PIECE)) & 0xffff_ffffL;
  }

  /** The 64-bit number at a multiple of 8. */
  long u64(long offset) throws BlockException {
    return piece(offset).getLong((int) (offset % PIECE));
  }

  private synchronized ByteBuffer piece(long offset) throws BlockException {
    long start = offset - Math.floorMod(offset, (long) PIECE);
    ByteBuffer piece = pieces.get(start);
    if (piece == null) {
      if (offset < 0 || offset >= file.size()) {
        throw failure("a table entry at offset " + Long.toUnsignedString(offset) + " is outside the file");
      }
      piece = ByteBuffer.allocate(PIECE).order(order);
      piece.limit((int) Math.min(PIECE, file.size() - start));
      file.read(start, piece);
      piece.clear();
      pieces.put(start, piece);
      if (pieces.size() > PIECES) {
        pieces.remove(pieces.keySet().iterator().next());
      }
    }
    return piece;
  }

  BlockException failure(String what) {
    return new BlockException("Could not open '" + file.name() + "': " + what);
  }
}
