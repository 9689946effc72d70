package org.ascus.devices.fdt;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Reads device tree blobs of versions 16 and 17. The blob is not trusted: every offset is checked. */
public final class FdtReader {
  private final ByteBuffer blob;
  private int total;
  private int stringsStart;
  private int stringsEnd;
  private int structureEnd;
  private int at;

  private FdtReader(byte[] blob) {
    this.blob = ByteBuffer.wrap(blob);
  }

  /**
   * The tree in {@code blob}; bytes after the size that its header names are ignored.
   *
   * @throws FdtException when it is no device tree, or a damaged one
   */
  public static Fdt read(byte[] blob) throws FdtException {
    return new FdtReader(blob).tree();
  }

  private Fdt tree() throws FdtException {
    if (blob.capacity() < FdtFormat.HEADER_SIZE) {
      throw new FdtException("not a device tree: " + blob.capacity() + " bytes are less than a header");
    }
    if (blob.getInt(0) != FdtFormat.MAGIC) {
      throw new FdtException(String.format("not a device tree (magic 0x%08x at offset 0)", blob.getInt(0)));
    }
    total = blob.getInt(4);
    if (total < FdtFormat.HEADER_SIZE || total > blob.capacity()) {
      throw new FdtException(
          "truncated: the header says " + Integer.toUnsignedString(total) + " bytes, there are " + blob.capacity());
    }
    int version = blob.getInt(20);
    int compatible = blob.getInt(24);
    if (version < FdtFormat.LAST_COMPATIBLE || compatible > FdtFormat.VERSION || compatible < 0) {
      throw new FdtException("version " + Integer.toUnsignedString(version) + " is not supported");
    }
    int structureStart = offset("structure block", blob.getInt(8));
    // Version 16 does not tell the size of the structure block.
    structureEnd =
        version >= FdtFormat.VERSION ? end("structure block", structureStart, blob.getInt(36)) : total;
    stringsStart = offset("strings block", blob.getInt(12));
    stringsEnd = end("strings block", stringsStart, blob.getInt(32));
    List<Fdt.Reservation> reservations = reservations(offset("memory reservation block", blob.getInt(16)));
    at = structureStart;
    if ((at & 3) != 0) {
      throw new FdtException("structure block at offset " + at + " is not aligned");
    }
    int token = token();
    if (token != FdtFormat.BEGIN_NODE) {
      throw badToken(token);
    }
    FdtNode root = new FdtNode("");
    if (!name().isEmpty()) {
      throw new FdtException("the root node has a name");
    }
    body(root, 1);
    return new Fdt(root, reservations, blob.getInt(28));
  }

  private List<Fdt.Reservation> reservations(int start) throws FdtException {
    List<Fdt.Reservation> result = new ArrayList<>();
    for (int i = start; i <= total - 16; i += 16) {
      long address = blob.getLong(i);
      long size = blob.getLong(i + 8);
      if (address == 0 && size == 0) {
        return result;
      }
      result.add(new Fdt.Reservation(address, size));
    }
    throw new FdtException("memory reservation block does not end");
  }

  private void body(FdtNode node, int depth) throws FdtException {
    if (depth > FdtFormat.MAX_DEPTH) {
      throw new FdtException("nodes nest deeper than " + FdtFormat.MAX_DEPTH);
    }
    while (true) {
      int token = token();
      switch (token) {
        case FdtFormat.BEGIN_NODE -> {
          String name = name();
          if (name.isEmpty() || name.indexOf('/') >= 0) {
            throw new FdtException("bad node name before offset " + at);
          }
          body(node.addChild(name), depth + 1);
        }
        case FdtFormat.PROPERTY -> property(node);
        case FdtFormat.END_NODE -> {
          return;
        }
        default -> throw badToken(token);
      }
    }
  }

  private void property(FdtNode node) throws FdtException {
    int length = word();
    int nameOffset = word();
    if (length < 0 || length > structureEnd - at) {
      throw new FdtException("property at offset " + at + " leaves the structure block");
    }
    byte[] value = Arrays.copyOfRange(blob.array(), at, at + length);
    at += length;
    align();
    if (nameOffset < 0 || nameOffset >= stringsEnd - stringsStart) {
      throw new FdtException("property name at string offset " + Integer.toUnsignedString(nameOffset));
    }
    node.set(string(stringsStart + nameOffset, stringsEnd), value);
  }

  private int token() throws FdtException {
    int token = word();
    while (token == FdtFormat.NOP) {
      token = word();
    }
    return token;
  }

  private int word() throws FdtException {
    if (structureEnd - at < 4) {
      throw new FdtException("structure block ends inside a node, at offset " + at);
    }
    int word = blob.getInt(at);
    at += 4;
    return word;
  }

  private String name() throws FdtException {
    String name = string(at, structureEnd);
    at += name.length() + 1;
    align();
    return name;
  }

  private void align() {
    at = Math.min((at + 3) & -4, structureEnd);
  }

  private String string(int start, int end) throws FdtException {
    for (int i = start; i < end; i++) {
      if (blob.get(i) == 0) {
        return new String(blob.array(), start, i - start, StandardCharsets.ISO_8859_1);
      }
    }
    throw new FdtException("string at offset " + start + " does not end");
  }

  private int offset(String what, int offset) throws FdtException {
    if (offset < 0 || offset > total) {
      throw new FdtException(what + " at offset " + Integer.toUnsignedString(offset) + ", past the end");
    }
    return offset;
  }

  private int end(String what, int start, int size) throws FdtException {
    if (size < 0 || size > total - start) {
      throw new FdtException(what + " of " + Integer.toUnsignedString(size) + " bytes leaves the blob");
    }
    return start + size;
  }

  private FdtException badToken(int token) {
    return new FdtException(String.format("unexpected token 0x%08x at offset %d", token, at - 4));
  }
}
