package org.ascus.devices.loader;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Reads executables in the ELF-64 object file format, little-endian, by their program headers (System V gABI, chapter
 * 5). The file is not trusted: every offset is checked.
 */
public final class ElfFile {
  /** {@code e_machine} of RISC-V. */
  public static final int RISCV = 243;

  /** {@code e_machine} of 64-bit ARM. */
  public static final int AARCH64 = 183;

  private static final int HEADER_SIZE = 64;
  private static final int PROGRAM_HEADER_SIZE = 56;
  private static final int TYPE_EXECUTABLE = 2;
  private static final int TYPE_SHARED = 3;
  private static final int SEGMENT_LOAD = 1;
  private static final long PAGE = 4096;

  private ElfFile() {}

  /** Whether {@code file} begins with the ELF magic. */
  public static boolean isElf(byte[] file) {
    return file.length >= 4 && file[0] == 0x7f && file[1] == 'E' && file[2] == 'L' && file[3] == 'F';
  }

  /**
   * The loadable segments of {@code file}, at their physical addresses.
   *
   * @param name option and file, for messages
   * @param machine the {@code e_machine} that the guest executes
   */
  public static GuestImage read(String name, byte[] file, int machine) throws LoadException {
    if (!isElf(file)) {
      throw new LoadException(name + ": not an ELF file");
    }
    if (file.length < HEADER_SIZE) {
      throw new LoadException(name + ": truncated ELF file: " + file.length + " bytes are less than its header");
    }
    if (file[4] != 2) {
      throw new LoadException(name + ": not a 64-bit ELF file");
    }
    if (file[5] != 1) {
      throw new LoadException(name + ": not a little-endian ELF file");
    }
    ByteBuffer elf = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    int elfMachine = elf.getShort(18) & 0xffff;
    if (elfMachine != machine) {
      throw new LoadException(
          name + ": ELF file for machine " + elfMachine + ", the guest needs " + machine);
    }
    int type = elf.getShort(16) & 0xffff;
    if (type != TYPE_EXECUTABLE && type != TYPE_SHARED) {
      throw new LoadException(name + ": ELF file is not an executable (type " + type + ")");
    }
    long table = elf.getLong(32);
    int entrySize = elf.getShort(54) & 0xffff;
    int count = elf.getShort(56) & 0xffff;
    if (count > 0 && entrySize < PROGRAM_HEADER_SIZE) {
      throw new LoadException(name + ": ELF program headers of " + entrySize + " bytes");
    }
    check(name, file, "program headers", table, (long) count * entrySize);
    List<GuestImage.Segment> segments = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      segment(name, file, elf, (int) table + i * entrySize, segments);
    }
    if (segments.isEmpty()) {
      throw new LoadException(name + ": ELF file has nothing to load");
    }
    return new GuestImage(name, physicalEntry(elf, (int) table, entrySize, count), segments);
  }

  /** Kernels that run with paging name their entry by its virtual address. */
  private static long physicalEntry(ByteBuffer elf, int table, int entrySize, int count) {
    long entry = elf.getLong(24);
    for (int i = 0; i < count; i++) {
      int header = table + i * entrySize;
      long offset = entry - elf.getLong(header + 16);
      boolean inside = Long.compareUnsigned(offset, elf.getLong(header + 32)) < 0;
      if (elf.getInt(header) == SEGMENT_LOAD && inside) {
        return elf.getLong(header + 24) + offset;
      }
    }
    return entry;
  }

  private static void segment(
      String name, byte[] file, ByteBuffer elf, int header, List<GuestImage.Segment> segments)
      throws LoadException {
    long memorySize = elf.getLong(header + 40);
    if (elf.getInt(header) != SEGMENT_LOAD || memorySize == 0) {
      return;
    }
    long offset = elf.getLong(header + 8);
    long address = elf.getLong(header + 24);
    long fileSize = elf.getLong(header + 32);
    check(name, file, "segment " + segments.size(), offset, fileSize);
    if (memorySize < fileSize || address < 0 || address + memorySize < 0) {
      throw new LoadException(
          String.format(
              "%s: ELF segment at 0x%x has 0x%x bytes in the file and 0x%x in memory",
              name, address, fileSize, memorySize));
    }
    byte[] data = Arrays.copyOfRange(file, (int) offset, (int) (offset + fileSize));
    int headers = offset == 0 ? headers(elf, address, data) : 0;
    if (headers > 0) {
      segments.add(new GuestImage.Segment(address, Arrays.copyOf(data, headers), headers, true));
    }
    byte[] rest = Arrays.copyOfRange(data, headers, data.length);
    segments.add(new GuestImage.Segment(address + headers, rest, memorySize - headers));
  }

  /**
   * Linkers map the file's headers in front of the program when there is room for them in its first page. Returns how
   * many bytes they and the zeroes after them take up to the next page, 0 when the page holds part of the program.
   */
  private static int headers(ByteBuffer elf, long address, byte[] data) {
    long page = (address & -PAGE) + PAGE - address;
    long end = elf.getLong(32) + (long) (elf.getShort(54) & 0xffff) * (elf.getShort(56) & 0xffff);
    if (page >= data.length || end > page) {
      return 0;
    }
    for (int i = (int) Math.max(end, HEADER_SIZE); i < page; i++) {
      if (data[i] != 0) {
        return 0;
      }
    }
    return (int) page;
  }

  private static void check(String name, byte[] file, String what, long offset, long size) throws LoadException {
    if (offset < 0 || size < 0 || offset > file.length || size > file.length - offset) {
      throw new LoadException(
          String.format(
              "%s: truncated ELF file: %s (0x%x bytes at offset 0x%x) beyond its end at 0x%x",
              name, what, size, offset, file.length));
    }
  }
}
