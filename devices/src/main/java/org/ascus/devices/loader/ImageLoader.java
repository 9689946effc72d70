package org.ascus.devices.loader;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPInputStream;

/**
 * Recognises what a user gives as kernel or firmware: an ELF executable, a Linux {@code Image} (documented in the
 * kernel's boot image header text for RISC-V), either of them compressed by gzip, or else raw bytes.
 */
public final class ImageLoader {
  private static final int LINUX_HEADER_SIZE = 64;
  private static final int LINUX_MAGIC = 0x05435352;
  private static final int PE_OFFSET = 0x3c;
  private static final int PE_MAGIC = 0x00004550;
  private static final int PE_HEADER_SIZE = 24;
  private static final int PE_SECTION_SIZE = 40;
  private static final int UIMAGE_MAGIC = 0x27051956;
  private static final int TEXT_PROBE = 1024;

  private ImageLoader() {}

  /**
   * Reads a whole file.
   *
   * @param name option and file, for messages
   * @param limit most bytes that could be of use
   */
  public static byte[] readFile(String name, Path file, long limit) throws LoadException {
    try {
      if (Files.isDirectory(file)) {
        throw new LoadException(name + ": is a directory");
      }
      // One byte more than allowed tells a file that is too large, whatever size it claims.
      int most = (int) Math.min(limit, Integer.MAX_VALUE - 16) + 1;
      try (InputStream in = Files.newInputStream(file)) {
        byte[] data = in.readNBytes(most);
        if (data.length == most) {
          throw new LoadException(name + ": larger than the guest's memory");
        }
        return data;
      }
    } catch (NoSuchFileException e) {
      throw new LoadException(name + ": No such file or directory", e);
    } catch (IOException e) {
      throw new LoadException(name + ": cannot be read: " + e.getMessage(), e);
    }
  }

  /**
   * Makes an image of an executable file's bytes.
   *
   * @param name option and file, for messages
   * @param file the bytes
   * @param machine {@code e_machine} of the guest
   * @param address where an image without addresses of its own goes
   * @param limit most bytes that a compressed file may have when it is decompressed
   */
  public static GuestImage executable(String name, byte[] file, int machine, long address, long limit)
      throws LoadException {
    byte[] data = isGzip(file) ? gunzip(name, file, limit) : file;
    if (data.length == 0) {
      throw new LoadException(name + ": is empty");
    }
    if (ElfFile.isElf(data)) {
      return ElfFile.read(name, data, machine);
    }
    if (data.length >= 4 && ByteBuffer.wrap(data).getInt(0) == UIMAGE_MAGIC) {
      throw new LoadException(name + ": is a U-Boot image (uImage); give the ELF file or Image it was made of");
    }
    if (looksLikeText(data)) {
      throw new LoadException(name + ": is a text file, neither ELF nor Image nor machine code");
    }
    if (isLinuxImage(data)) {
      return linux(name, data, address);
    }
    return GuestImage.raw(name, address, data);
  }

  private static GuestImage linux(String name, byte[] data, long address) throws LoadException {
    // The header's image size includes .bss, which the file does not hold but which nothing else may lie in.
    long size = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN).getLong(16);
    if (size < 0) {
      throw new LoadException(name + ": Linux Image says it has " + Long.toUnsignedString(size) + " bytes");
    }
    long whole = fileSize(data);
    if (whole > data.length) {
      throw new LoadException(
          name + ": truncated Linux Image: its header says " + whole + " bytes, the file has " + data.length);
    }
    long memory = Math.max(size, data.length);
    return new GuestImage(name, address, List.of(new GuestImage.Segment(address, data, memory)));
  }

  /**
   * Bytes that the file must have. The Linux header does not tell, but a kernel that EFI can start is a PE file too,
   * whose sections (PE format, section table) end with the file; 0 when it is none.
   */
  private static long fileSize(byte[] data) {
    ByteBuffer image = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
    long header = image.getInt(PE_OFFSET) & 0xffffffffL;
    if (data[0] != 'M' || data[1] != 'Z' || header + PE_HEADER_SIZE > data.length
        || image.getInt((int) header) != PE_MAGIC) {
      return 0;
    }
    int sections = image.getShort((int) header + 6) & 0xffff;
    long table = header + PE_HEADER_SIZE + (image.getShort((int) header + 20) & 0xffff);
    long end = table + (long) sections * PE_SECTION_SIZE;
    if (end > data.length) {
      return end;
    }
    for (long section = table; section < table + (long) sections * PE_SECTION_SIZE; section += PE_SECTION_SIZE) {
      long size = image.getInt((int) section + 16) & 0xffffffffL;
      end = Math.max(end, size + (image.getInt((int) section + 20) & 0xffffffffL));
    }
    return end;
  }

  /** Whether {@code data} begins with the header of a Linux Image for RISC-V. */
  public static boolean isLinuxImage(byte[] data) {
    return data.length >= LINUX_HEADER_SIZE
        && ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN).getInt(0x38) == LINUX_MAGIC;
  }

  /** The file, or what it packs when it is gzip'd, at most {@code limit} bytes. */
  public static byte[] unpacked(String name, byte[] file, long limit) throws LoadException {
    return isGzip(file) ? gunzip(name, file, limit) : file;
  }

  private static boolean isGzip(byte[] data) {
    return data.length >= 3 && data[0] == 0x1f && (data[1] & 0xff) == 0x8b && data[2] == 8;
  }

  private static byte[] gunzip(String name, byte[] file, long limit) throws LoadException {
    int most = (int) Math.min(limit, Integer.MAX_VALUE - 16) + 1;
    try (InputStream in = new GZIPInputStream(new ByteArrayInputStream(file), 1 << 16)) {
      byte[] data = in.readNBytes(most);
      if (data.length == most) {
        throw new LoadException(name + ": larger than the guest's memory when decompressed");
      }
      return data;
    } catch (IOException e) {
      throw new LoadException(name + ": damaged gzip data: " + e.getMessage(), e);
    }
  }

  private static boolean looksLikeText(byte[] data) {
    byte[] head = Arrays.copyOf(data, Math.min(data.length, TEXT_PROBE));
    for (byte b : head) {
      boolean printable = b >= 0x20 && b < 0x7f || b == '\n' || b == '\r' || b == '\t' || b == '\f';
      if (!printable) {
        return false;
      }
    }
    return true;
  }
}
