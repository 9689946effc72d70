package org.ascus.machine.state;

import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/** Reads what {@link StateWriter} wrote. Any malformed stream ends in a {@link StateException}. */
public final class StateReader {
  private record Section(int version, Map<String, Object> fields) {}

  private final Map<String, Section> sections = new LinkedHashMap<>();
  private String current = "";
  private Map<String, Object> fields = Map.of();

  public StateReader(byte[] stream) throws StateException {
    try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(stream))) {
      if (in.readInt() != StateWriter.MAGIC) {
        throw new StateException("not a state stream");
      }
      while (in.available() > 0) {
        String id = in.readUTF();
        int version = in.readInt();
        sections.put(id, new Section(version, fields(id, bytes(in))));
      }
    } catch (IOException e) {
      throw new StateException("state stream is cut short or malformed");
    }
  }

  private static byte[] bytes(DataInputStream in) throws IOException {
    int length = in.readInt();
    if (length < 0 || length > in.available()) {
      throw new IOException();
    }
    return in.readNBytes(length);
  }

  private static Map<String, Object> fields(String id, byte[] section) throws IOException, StateException {
    Map<String, Object> fields = new LinkedHashMap<>();
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(section));
    while (in.available() > 0) {
      String name = in.readUTF();
      byte type = in.readByte();
      byte[] data = bytes(in);
      fields.put(
          name,
          switch (type) {
            case StateWriter.LONG -> {
              if (data.length != 8) {
                throw new IOException();
              }
              yield longs(data)[0];
            }
            case StateWriter.BYTES -> data;
            case StateWriter.LONGS -> longs(data);
            case StateWriter.STRING -> new String(data, StandardCharsets.UTF_8);
            default -> throw new StateException("section " + id + ", field " + name + ": unknown type " + type);
          });
    }
    return fields;
  }

  private static long[] longs(byte[] data) throws IOException {
    if (data.length % 8 != 0) {
      throw new IOException();
    }
    long[] result = new long[data.length / 8];
    ByteBuffer.wrap(data).asLongBuffer().get(result);
    return result;
  }

  /** Loads {@code object} from its section. */
  public void section(Stateful object) throws StateException {
    Section section = sections.get(object.stateId());
    if (section == null) {
      throw new StateException("no section " + object.stateId());
    }
    if (section.version() < 1 || section.version() > object.stateVersion()) {
      throw new StateException("section " + object.stateId() + " has unknown version " + section.version());
    }
    current = object.stateId();
    fields = section.fields();
    object.load(this, section.version());
  }

  /** True if the current section has a field {@code name}. */
  public boolean has(String name) {
    return fields.containsKey(name);
  }

  public long getLong(String name) throws StateException {
    return get(name, Long.class);
  }

  public int getInt(String name) throws StateException {
    return (int) getLong(name);
  }

  /** A number that must lie in [min, max]. */
  public long getLong(String name, long min, long max) throws StateException {
    long value = getLong(name);
    if (value < min || value > max) {
      throw new StateException("section " + current + ", field " + name + ": " + value + " is out of range");
    }
    return value;
  }

  public boolean getBoolean(String name) throws StateException {
    return getLong(name, 0, 1) != 0;
  }

  public byte[] getBytes(String name) throws StateException {
    return get(name, byte[].class);
  }

  public long[] getLongs(String name) throws StateException {
    return get(name, long[].class);
  }

  /** An array that must have {@code length} elements. */
  public long[] getLongs(String name, int length) throws StateException {
    long[] value = getLongs(name);
    if (value.length != length) {
      throw new StateException(
          "section " + current + ", field " + name + ": " + value.length + " elements, not " + length);
    }
    return value;
  }

  public String getString(String name) throws StateException {
    return get(name, String.class);
  }

  private <T> T get(String name, Class<T> type) throws StateException {
    Object value = fields.get(name);
    if (!type.isInstance(value)) {
      throw new StateException("section " + current + " has no field " + name + " of type " + type.getSimpleName());
    }
    return type.cast(value);
  }
}
