package org.ascus.devices.fdt;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/** Writes device trees as blobs of version 17. The same tree gives the same bytes. */
public final class FdtWriter {
  private final ByteArrayOutputStream structureBytes = new ByteArrayOutputStream();
  private final DataOutputStream structure = new DataOutputStream(structureBytes);
  private final ByteArrayOutputStream strings = new ByteArrayOutputStream();
  private final Map<String, Integer> stringOffsets = new LinkedHashMap<>();

  private FdtWriter() {}

  /** The blob; its size is the size it names, with no room to grow. */
  public static byte[] write(Fdt tree) {
    try {
      return new FdtWriter().blob(tree);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private byte[] blob(Fdt tree) throws IOException {
    node(tree.root());
    structure.writeInt(FdtFormat.END);
    int reserveOffset = FdtFormat.HEADER_SIZE;
    int structureOffset = reserveOffset + 16 * (tree.reservations().size() + 1);
    int stringsOffset = structureOffset + structureBytes.size();
    int total = stringsOffset + strings.size();
    ByteBuffer out = ByteBuffer.allocate(total);
    out.putInt(FdtFormat.MAGIC);
    out.putInt(total);
    out.putInt(structureOffset);
    out.putInt(stringsOffset);
    out.putInt(reserveOffset);
    out.putInt(FdtFormat.VERSION);
    out.putInt(FdtFormat.LAST_COMPATIBLE);
    out.putInt(tree.bootCpu());
    out.putInt(strings.size());
    out.putInt(structureBytes.size());
    tree.reservations().forEach(r -> out.putLong(r.address()).putLong(r.size()));
    out.putLong(0).putLong(0);
    out.put(structureBytes.toByteArray());
    out.put(strings.toByteArray());
    return out.array();
  }

  private void node(FdtNode node) throws IOException {
    structure.writeInt(FdtFormat.BEGIN_NODE);
    structure.write(node.name().getBytes(StandardCharsets.ISO_8859_1));
    structure.writeByte(0);
    align();
    for (String name : node.propertyNames()) {
      byte[] value = node.bytes(name).orElseThrow();
      structure.writeInt(FdtFormat.PROPERTY);
      structure.writeInt(value.length);
      structure.writeInt(stringOffset(name));
      structure.write(value);
      align();
    }
    for (FdtNode child : node.children()) {
      node(child);
    }
    structure.writeInt(FdtFormat.END_NODE);
  }

  private int stringOffset(String name) {
    return stringOffsets.computeIfAbsent(
        name,
        n -> {
          int offset = strings.size();
          strings.writeBytes(n.getBytes(StandardCharsets.ISO_8859_1));
          strings.write(0);
          return offset;
        });
  }

  private void align() throws IOException {
    while ((structureBytes.size() & 3) != 0) {
      structure.writeByte(0);
    }
  }
}
