package org.ascus.devices.fs.p9;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A driver without a guest: makes requests of numbers and names, and reads answers. */
public final class P9Client {
  public static final int SIZE = 65536;

  private final P9Server server;
  private final byte[] answer = new byte[SIZE];

  P9Client(P9Server server) {
    this.server = server;
  }

  /** An unsigned field of so many bytes. */
  private record Field(int bytes, long value) {}

  static Object u8(long value) {
    return new Field(1, value);
  }

  static Object u16(long value) {
    return new Field(2, value);
  }

  static Object u64(long value) {
    return new Field(8, value);
  }

  /** A request: an {@code Integer} is a field of 32 bits, a {@code String} a name, bytes are themselves. */
  public static byte[] message(int type, Object... fields) {
    ByteBuffer out = ByteBuffer.allocate(SIZE).order(ByteOrder.LITTLE_ENDIAN).position(4);
    out.put((byte) type).putShort((short) 1);
    for (Object field : fields) {
      switch (field) {
        case Integer i -> out.putInt(i);
        case Field f -> {
          for (int i = 0; i < f.bytes(); i++) {
            out.put((byte) (f.value() >>> 8 * i));
          }
        }
        case String s -> {
          byte[] text = s.getBytes(StandardCharsets.ISO_8859_1);
          out.putShort((short) text.length).put(text);
        }
        case byte[] bytes -> out.put(bytes);
        default -> throw new IllegalArgumentException(field.toString());
      }
    }
    byte[] message = new byte[out.position()];
    out.putInt(0, message.length).rewind().get(message);
    return message;
  }

  /** What an answer has behind its header; fails when it is an error. */
  ByteBuffer call(int type, Object... fields) {
    ByteBuffer in = answer(message(type, fields), SIZE);
    int error = in.get(4) == MessageType.LERROR_ANSWER ? in.getInt(7) : 0;
    assertThat(in.get(4) & 0xff).as("answer, error %s", error).isEqualTo(type + 1);
    return in.position(7);
  }

  /** The error number of an answer, 0 if it is none. */
  int error(int type, Object... fields) {
    ByteBuffer in = answer(message(type, fields), SIZE);
    return in.get(4) == MessageType.LERROR_ANSWER ? in.getInt(7) : 0;
  }

  ByteBuffer answer(byte[] message, int room) {
    int size = server.handle(message, message.length, answer, room);
    assertThat(size).isBetween(7, room);
    ByteBuffer in = ByteBuffer.wrap(answer, 0, size).order(ByteOrder.LITTLE_ENDIAN);
    assertThat(in.getInt(0)).isEqualTo(size);
    return in;
  }

  /** Begins a session with handle 0 for the root. */
  void attach() {
    call(MessageType.VERSION, SIZE, "9P2000.L");
    call(MessageType.ATTACH, 0, -1, "root", "", 1000);
  }

  /** Walks from the root to a new handle; false when there is no such path. */
  boolean walk(int fid, String... names) {
    List<Object> fields = new ArrayList<>(List.of(0, fid, u16(names.length)));
    fields.addAll(List.of(names));
    ByteBuffer in = answer(message(MessageType.WALK, fields.toArray()), SIZE);
    return in.get(4) == MessageType.WALK + 1 && in.getShort(7) == names.length;
  }

  byte[] read(int fid, long offset, int count) {
    ByteBuffer in = call(MessageType.READ, fid, u64(offset), count);
    byte[] data = new byte[in.getInt()];
    in.get(data);
    return data;
  }

  int write(int fid, long offset, byte[] data) {
    return call(MessageType.WRITE, fid, u64(offset), data.length, data).getInt();
  }

  /** Makes and opens a file in the root under a new handle. */
  void create(int fid, String name, int flags, int mode) {
    assertThat(walk(fid)).isTrue();
    call(MessageType.LCREATE, fid, name, flags, mode, 1001);
  }

  /** Names in a folder, read piece by piece. */
  List<String> list(int fid, int count) {
    List<String> names = new ArrayList<>();
    long offset = 0;
    while (true) {
      ByteBuffer in = call(MessageType.READDIR, fid, u64(offset), count);
      if (in.getInt() == 0) {
        return names;
      }
      while (in.hasRemaining()) {
        in.position(in.position() + Qid.BYTES);
        offset = in.getLong();
        in.get();
        byte[] name = new byte[in.getShort()];
        in.get(name);
        names.add(new String(name, StandardCharsets.ISO_8859_1));
      }
    }
  }

  /** What a driver sees of a file: mode, owners and so on. */
  record Status(int qidType, long path, int mode, int uid, int gid, long links, long rdev, long size, long modified) {}

  Status status(int fid) {
    ByteBuffer in = call(MessageType.GETATTR, fid, u64(0x7ff));
    assertThat(in.getLong()).isEqualTo(0x7ff);
    int type = in.get() & 0xff;
    in.getInt();
    long path = in.getLong();
    int mode = in.getInt();
    int uid = in.getInt();
    int gid = in.getInt();
    long links = in.getLong();
    long rdev = in.getLong();
    long size = in.getLong();
    in.position(in.position() + 32);
    return new Status(type, path, mode, uid, gid, links, rdev, size, in.getLong());
  }

  void clunk(int fid) {
    call(MessageType.CLUNK, fid);
  }
}
