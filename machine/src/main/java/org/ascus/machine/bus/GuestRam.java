package org.ascus.machine.bus;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.ascus.machine.bus.host.HostMemory;
import org.ascus.machine.bus.host.PageAllocator;

/**
 * One block of guest RAM or ROM, outside the Java heap, little-endian, zero at first.
 *
 * <p>Each access names an offset in bytes from the start of the block and is range-checked here; an access outside the
 * block throws {@link IndexOutOfBoundsException} and is a bug of the caller, since guest addresses are resolved by
 * {@link AddressSpace} first. Threads may access it concurrently; aligned accesses of up to 8 bytes are single-copy
 * atomic.
 *
 * <p>The block also knows which of its bytes have been translated by a guest CPU ({@link #markCode}), at a grain of
 * {@value #GRANULE} bytes, so that any write to them, by a CPU or by a device, is reported to the {@link CodeListener}.
 */
public final class GuestRam {
  /** Bytes per page of the code map. */
  public static final int PAGE = 4096;

  /** Bytes per bit of the code map. */
  public static final int GRANULE = 64;

  private static final int PAGES_PER_CHUNK = 512;
  private static final int WINDOW_BITS = 30;
  private static final VarHandle LONGS = MethodHandles.arrayElementVarHandle(long[].class);

  /** Told about writes to bytes that were marked as code. Called on the thread that writes, after the write. */
  public interface CodeListener {
    void codeWritten(GuestRam ram, long offset, long length);
  }

  private final String name;
  private final long size;
  private final long base;
  private final long[][] codeMap;

  /** Views of all of the block, since a slice of one is made ten times faster than a view. */
  private final AtomicReferenceArray<ByteBuffer> windows;

  private volatile CodeListener listener = (ram, offset, length) -> {};

  /**
   * @param name for {@code info mtree} and state streams
   * @param size bytes; rounded up to whole pages
   */
  public GuestRam(String name, long size) {
    if (size <= 0 || size > 1L << 44) {
      throw new IllegalArgumentException("RAM block " + name + ": size " + size);
    }
    this.name = name;
    this.size = (size + PAGE - 1) & -PAGE;
    this.base = PageAllocator.allocate(this.size);
    this.windows = new AtomicReferenceArray<>((int) (this.size - 1 >>> WINDOW_BITS) + 1);
    this.codeMap = new long[(int) ((this.size / PAGE + PAGES_PER_CHUNK - 1) / PAGES_PER_CHUNK)][];
  }

  /** Gets ready what the first block needs of the host, so that another thread may do it ahead of time. */
  public static void prepare() {
    PageAllocator.prepare();
  }

  public String name() {
    return name;
  }

  /** Size in bytes, a multiple of {@link #PAGE}. */
  public long size() {
    return size;
  }

  /** The host address of offset 0: for the soft TLB, which adds only offsets it has checked against {@link #size}. */
  public long hostAddress() {
    return base;
  }

  public byte getByte(long offset) {
    return HostMemory.getByte(address(offset, 1));
  }

  public short getShort(long offset) {
    return HostMemory.getShort(address(offset, 2));
  }

  public int getInt(long offset) {
    return HostMemory.getInt(address(offset, 4));
  }

  public long getLong(long offset) {
    return HostMemory.getLong(address(offset, 8));
  }

  /** Reads {@code width} (1, 2, 4 or 8) bytes, zero-extended. */
  public long get(long offset, int width) {
    return switch (width) {
      case 1 -> getByte(offset) & 0xffL;
      case 2 -> getShort(offset) & 0xffffL;
      case 4 -> getInt(offset) & 0xffffffffL;
      case 8 -> getLong(offset);
      default -> throw new IllegalArgumentException("access width " + width);
    };
  }

  /** Writes the low {@code width} (1, 2, 4 or 8) bytes of {@code value}. */
  public void put(long offset, int width, long value) {
    long address = address(offset, width);
    switch (width) {
      case 1 -> HostMemory.putByte(address, (byte) value);
      case 2 -> HostMemory.putShort(address, (short) value);
      case 4 -> HostMemory.putInt(address, (int) value);
      case 8 -> HostMemory.putLong(address, value);
      default -> throw new IllegalArgumentException("access width " + width);
    }
    written(offset, width);
  }

  public void read(long offset, byte[] target, int start, int length) {
    Objects.checkFromIndexSize(start, length, target.length);
    HostMemory.copyToArray(address(offset, length), target, start, length);
  }

  public void write(long offset, byte[] source, int start, int length) {
    Objects.checkFromIndexSize(start, length, source.length);
    HostMemory.copyFromArray(source, start, address(offset, length), length);
    written(offset, length);
  }

  /**
   * The bytes [offset, offset + length) themselves, for the host to read or write; after writing, call {@link
   * #written}. Not to be used any more once the block is released.
   */
  public ByteBuffer view(long offset, int length) {
    long address = address(offset, length);
    int window = (int) (offset >>> WINDOW_BITS);
    int inside = (int) (offset & (1 << WINDOW_BITS) - 1);
    if (length > (1 << WINDOW_BITS) - inside) {
      return HostMemory.view(address, length);
    }
    ByteBuffer whole = windows.get(window);
    if (whole == null) {
      long start = (long) window << WINDOW_BITS;
      whole = HostMemory.view(base + start, (int) Math.min(1 << WINDOW_BITS, size - start));
      windows.set(window, whole);
    }
    return whole.slice(inside, length);
  }

  public void fill(long offset, long length, byte value) {
    HostMemory.fill(address(offset, length), length, value);
    written(offset, length);
  }

  public boolean compareAndSetInt(long offset, int expected, int value) {
    boolean done = HostMemory.compareAndSetInt(address(offset, 4), expected, value);
    written(offset, 4);
    return done;
  }

  public boolean compareAndSetLong(long offset, long expected, long value) {
    boolean done = HostMemory.compareAndSetLong(address(offset, 8), expected, value);
    written(offset, 8);
    return done;
  }

  private long address(long offset, long length) {
    Objects.checkFromIndexSize(offset, length, size);
    return base + offset;
  }

  /** Registers who translates code from this block; there is one listener, shared by all CPUs of a machine. */
  public void setCodeListener(CodeListener listener) {
    this.listener = listener;
  }

  /** Marks bytes as translated, so that writes to them are reported until {@link #clearCode}. */
  public void markCode(long offset, long length) {
    Objects.checkFromIndexSize(offset, length, size);
    for (long at = offset & -GRANULE; at < offset + length; at += GRANULE) {
      long page = at / PAGE;
      long bit = 1L << (at % PAGE / GRANULE);
      LONGS.getAndBitwiseOr(chunk(page), (int) (page % PAGES_PER_CHUNK), bit);
    }
  }

  /** Forgets the code marks of a whole page given by any offset in it. */
  public void clearCode(long offset) {
    long[] chunk = codeMap[(int) (offset / PAGE / PAGES_PER_CHUNK)];
    if (chunk != null) {
      LONGS.setVolatile(chunk, (int) (offset / PAGE % PAGES_PER_CHUNK), 0L);
    }
  }

  /** True if the page that holds {@code offset} has any byte marked as code. */
  public boolean pageHasCode(long offset) {
    return pageCodeMap(offset) != 0;
  }

  /** One bit for each granule of the page that holds {@code offset}; bit 0 is the lowest address. */
  public long pageCodeMap(long offset) {
    long[] chunk = codeMap[(int) (offset / PAGE / PAGES_PER_CHUNK)];
    return chunk == null ? 0 : (long) LONGS.getVolatile(chunk, (int) (offset / PAGE % PAGES_PER_CHUNK));
  }

  /** Reports a write that was made to host memory directly; every write path of a CPU that missed its TLB calls it. */
  public void written(long offset, long length) {
    for (long page = offset & -PAGE; page < offset + length; page += PAGE) {
      long map = pageCodeMap(page);
      if (map != 0) {
        int first = (int) (Math.max(offset - page, 0) / GRANULE);
        int last = (int) (Math.min(offset + length - page, PAGE) - 1) / GRANULE;
        long mask = (-1L << first) & (-1L >>> (63 - last));
        if ((map & mask) != 0) {
          long start = Math.max(page, offset);
          listener.codeWritten(this, start, Math.min(page + PAGE, offset + length) - start);
        }
      }
    }
  }

  private synchronized long[] newChunk(int index) {
    if (codeMap[index] == null) {
      codeMap[index] = new long[PAGES_PER_CHUNK];
    }
    return codeMap[index];
  }

  private long[] chunk(long page) {
    int index = (int) (page / PAGES_PER_CHUNK);
    long[] chunk = codeMap[index];
    return chunk != null ? chunk : newChunk(index);
  }

  /**
   * Gives the contents back to the host: the block takes no memory any more and reads as zeroes. A thread that uses it
   * still harms nobody, since its addresses stay reserved.
   */
  public void discard() {
    PageAllocator.discard(base, size);
  }

  /**
   * Gives part of the contents back to the host; it reads as zeroes.
   *
   * @param offset a multiple of {@link #PAGE}, as {@code length}
   */
  public void discard(long offset, long length) {
    if (((offset | length) & PAGE - 1) != 0) {
      throw new IllegalArgumentException("discard of " + length + " bytes at " + offset);
    }
    PageAllocator.discard(address(offset, length), length);
    written(offset, length);
  }

  /** Gives the memory and its addresses back to the host. The block must not be used any more, by any CPU or device. */
  public void release() {
    PageAllocator.release(base, size);
  }

  @Override
  public String toString() {
    return name + "[" + size + "]";
  }
}
