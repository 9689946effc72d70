package org.ascus.machine.state;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Writes sections of named fields. Layout, big-endian: magic {@value #MAGIC}, then for each section its name, version
 * and byte length, then its fields as (name, type byte, length, data).
 */
public final class StateWriter {
  static final int MAGIC = 0x41534331;
  static final byte LONG = 1;
  static final byte BYTES = 2;
  static final byte LONGS = 3;
  static final byte STRING = 4;

  private final ByteArrayOutputStream all = new ByteArrayOutputStream();
  private ByteArrayOutputStream section = new ByteArrayOutputStream();
  private DataOutputStream fields = new DataOutputStream(section);

  public StateWriter() {
    try {
      new DataOutputStream(all).writeInt(MAGIC);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Writes {@code object} as a section of its own. */
  public void section(Stateful object) {
    section = new ByteArrayOutputStream();
    fields = new DataOutputStream(section);
    object.save(this);
    try {
      DataOutputStream out = new DataOutputStream(all);
      out.writeUTF(object.stateId());
      out.writeInt(object.stateVersion());
      out.writeInt(section.size());
      section.writeTo(all);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public void putLong(String name, long value) {
    field(name, LONG, 8, () -> fields.writeLong(value));
  }

  public void putBoolean(String name, boolean value) {
    putLong(name, value ? 1 : 0);
  }

  public void putBytes(String name, byte[] value) {
    field(name, BYTES, value.length, () -> fields.write(value));
  }

  public void putLongs(String name, long... value) {
    field(
        name,
        LONGS,
        value.length * 8,
        () -> {
          for (long v : value) {
            fields.writeLong(v);
          }
        });
  }

  public void putInts(String name, int... value) {
    putLongs(name, Arrays.stream(value).asLongStream().toArray());
  }

  public void putString(String name, String value) {
    byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
    field(name, STRING, bytes.length, () -> fields.write(bytes));
  }

  private interface Body {
    void write() throws IOException;
  }

  private void field(String name, byte type, int length, Body body) {
    try {
      fields.writeUTF(name);
      fields.writeByte(type);
      fields.writeInt(length);
      body.write();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public byte[] toByteArray() {
    return all.toByteArray();
  }
}
