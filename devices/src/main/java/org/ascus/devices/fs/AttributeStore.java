package org.ascus.devices.fs;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * Extended attributes {@code user.virtfs.uid}, {@code .gid} and {@code .mode} of 32 bits and {@code .rdev} of 64 bits,
 * little-endian. The host's own symbolic links and device nodes cannot have any.
 */
final class AttributeStore implements CredentialStore {
  private static final byte[] UID = name("uid");
  private static final byte[] GID = name("gid");
  private static final byte[] MODE = name("mode");
  private static final byte[] RDEV = name("rdev");

  private final LinuxCalls calls;

  AttributeStore(LinuxCalls calls) {
    this.calls = calls;
  }

  private static byte[] name(String end) {
    return (MappedModel.OWN + end).getBytes(StandardCharsets.US_ASCII);
  }

  @Override
  public Credentials load(int fd, FileStatus own, int folder, byte[] name) throws FileException {
    OptionalLong rdev = own.isFolder() ? OptionalLong.empty() : value(fd, RDEV, 8);
    return new Credentials(number(fd, UID), number(fd, GID), number(fd, MODE), rdev);
  }

  private OptionalInt number(int fd, byte[] name) throws FileException {
    OptionalLong value = value(fd, name, 4);
    return value.isPresent() ? OptionalInt.of((int) value.getAsLong()) : OptionalInt.empty();
  }

  private OptionalLong value(int fd, byte[] name, int bytes) throws FileException {
    try {
      byte[] value = calls.attribute(fd, name);
      if (value.length != bytes) {
        return OptionalLong.empty();
      }
      ByteBuffer buffer = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN);
      return OptionalLong.of(bytes == 4 ? buffer.getInt() : buffer.getLong());
    } catch (FileException e) {
      // Not set, or of a kind of file that cannot have any.
      return OptionalLong.empty();
    }
  }

  @Override
  public void save(int fd, FileStatus own, int folder, byte[] name, Credentials c) throws FileException {
    put(fd, UID, c.uid());
    put(fd, GID, c.gid());
    put(fd, MODE, c.mode());
    if (c.rdev().isPresent()) {
      ByteBuffer value = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(c.rdev().getAsLong());
      calls.setAttribute(fd, RDEV, value.array(), 0);
    }
  }

  private void put(int fd, byte[] name, OptionalInt number) throws FileException {
    if (number.isPresent()) {
      ByteBuffer value = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(number.getAsInt());
      calls.setAttribute(fd, name, value.array(), 0);
    }
  }
}
