package org.ascus.devices.fs.p9;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.ascus.machine.state.StateException;

/**
 * Handles in a saved state, big-endian: number 32, user 32, what it is 8, flags 32, names in its path 32, each with 16
 * bits of length before it; for an attribute its value, with 32 bits of length before it, what came of it 32, flags 32,
 * and its name with 16 bits of length before it if it is to be set.
 */
final class FidState {
  private static final int PLAIN = 0;
  private static final int FILE = 1;
  private static final int FOLDER = 2;
  private static final int TO_DRIVER = 3;
  private static final int FROM_DRIVER = 4;

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final DataOutputStream out = new DataOutputStream(bytes);

  /** A handle as it was. */
  record Saved(
      int number,
      int uid,
      boolean open,
      boolean folder,
      int flags,
      List<byte[]> path,
      Optional<AttributeTransfer> attribute) {}

  void put(int number, Fid fid) {
    try {
      out.writeInt(number);
      out.writeInt(fid.uid);
      out.writeByte(kind(fid));
      out.writeInt(fid.flags);
      Collection<byte[]> path = fid.place.path();
      out.writeInt(path.size());
      for (byte[] name : path) {
        text(name);
      }
      if (fid.attribute.isPresent()) {
        AttributeTransfer attribute = fid.attribute.get();
        out.writeInt(attribute.value.length);
        out.write(attribute.value);
        out.writeInt(attribute.filled);
        out.writeInt(attribute.flags);
        if (attribute.name.isPresent()) {
          text(attribute.name.get());
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static int kind(Fid fid) {
    if (fid.attribute.isPresent()) {
      return fid.attribute.get().name.isPresent() ? FROM_DRIVER : TO_DRIVER;
    }
    return !fid.isOpen() ? PLAIN : fid.folder ? FOLDER : FILE;
  }

  private void text(byte[] text) throws IOException {
    out.writeShort(text.length);
    out.write(text);
  }

  byte[] toBytes() {
    return bytes.toByteArray();
  }

  static List<Saved> parse(byte[] state) throws StateException {
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(state));
    List<Saved> all = new ArrayList<>();
    try {
      while (in.available() > 0) {
        all.add(parse(in));
      }
      return all;
    } catch (IOException e) {
      throw new StateException("9p: the handles end too early");
    }
  }

  private static Saved parse(DataInputStream in) throws IOException, StateException {
    int number = in.readInt();
    int uid = in.readInt();
    int kind = in.readByte();
    int flags = in.readInt();
    int names = in.readInt();
    List<byte[]> path = new ArrayList<>();
    for (int i = 0; i < names; i++) {
      path.add(text(in));
    }
    Optional<AttributeTransfer> attribute = Optional.empty();
    if (kind == TO_DRIVER || kind == FROM_DRIVER) {
      attribute = Optional.of(attribute(in, kind));
    } else if (kind < PLAIN || kind > FROM_DRIVER) {
      throw new StateException("9p: handle " + number + " of kind " + kind);
    }
    return new Saved(number, uid, kind == FILE || kind == FOLDER, kind == FOLDER, flags, path, attribute);
  }

  private static AttributeTransfer attribute(DataInputStream in, int kind) throws IOException, StateException {
    int length = in.readInt();
    if (length < 0 || length > in.available()) {
      throw new StateException("9p: an attribute of " + length + " bytes");
    }
    byte[] value = in.readNBytes(length);
    int filled = in.readInt();
    int flags = in.readInt();
    if (filled < 0 || filled > length) {
      throw new StateException("9p: an attribute with " + filled + " of " + length + " bytes");
    }
    AttributeTransfer attribute =
        kind == TO_DRIVER
            ? AttributeTransfer.toDriver(value)
            : AttributeTransfer.fromDriver(text(in), length, flags);
    System.arraycopy(value, 0, attribute.value, 0, length);
    attribute.filled = filled;
    return attribute;
  }

  private static byte[] text(DataInputStream in) throws IOException {
    byte[] text = new byte[in.readUnsignedShort()];
    in.readFully(text);
    return text;
  }
}
