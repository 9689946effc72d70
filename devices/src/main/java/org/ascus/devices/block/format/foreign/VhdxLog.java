package org.ascus.devices.block.format.foreign;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;
import org.ascus.devices.block.BlockException;

/**
 * The log of a VHDX file that was not closed properly ([MS-VHDX] 2.3): changes of its tables, in sectors of 4 KiB. They
 * are not written to the file, which is only read, but kept at hand.
 */
final class VhdxLog {
  static final int SECTOR = 4096;
  private static final int ENTRY_BYTES = 64;
  private static final int DESCRIPTOR_BYTES = 32;
  private static final int LOGE = 0x65676f6c;
  private static final int ZERO = 0x6f72657a;
  private static final int DESC = 0x63736564;
  private static final int DATA = 0x61746164;
  private static final long MAX_LOG = 128 << 20;

  /** An entry that is as its checksum says. */
  private record Entry(long at, int length, long tail, long sequence, ByteBuffer bytes) {}

  private final FieldReader fields;
  private final long start;
  private final long length;
  private final long guidLow;
  private final long guidHigh;
  private long budget;

  private VhdxLog(FieldReader fields, ByteBuffer header) throws BlockException {
    this.fields = fields;
    guidLow = header.getLong(48);
    guidHigh = header.getLong(56);
    length = header.getInt(68) & 0xffff_ffffL;
    start = header.getLong(72);
    if (length % SECTOR != 0 || length > MAX_LOG) {
      throw fields.failure("its log of " + length + " bytes cannot be replayed");
    }
    fields.checkTable("the log", start, length);
    // Entries that lie over one another make no sense, and would take for ever.
    budget = 8 * length;
  }

  /**
   * What the log changes.
   *
   * @param header the header in use, whose log GUID is not zero
   * @return sectors of 4096 bytes by their place in the file
   */
  static Map<Long, byte[]> replay(FieldReader fields, ByteBuffer header) throws BlockException {
    VhdxLog log = new VhdxLog(fields, header);
    Map<Long, byte[]> changes = new HashMap<>();
    for (Entry entry : log.active()) {
      log.apply(entry, changes);
    }
    return changes;
  }

  /** The sequence of entries with the highest number; not so many as one that was written last. */
  private List<Entry> active() throws BlockException {
    List<Entry> best = List.of();
    Map<Long, Entry> known = new HashMap<>();
    for (long at = 0; at < length; at += SECTOR) {
      Entry entry = entry(at, known);
      List<Entry> chain = new ArrayList<>();
      while (entry != null && chain.size() < length / SECTOR) {
        chain.add(entry);
        Entry next = entry((entry.at() + entry.length()) % length, known);
        entry = next != null && next.sequence() == entry.sequence() + 1 ? next : null;
      }
      if (!chain.isEmpty()) {
        long tail = chain.getLast().tail();
        while (!chain.isEmpty() && chain.getFirst().at() != tail) {
          chain.removeFirst();
        }
      }
      if (!chain.isEmpty() && (best.isEmpty() || chain.getLast().sequence() > best.getLast().sequence())) {
        best = chain;
      }
    }
    if (best.isEmpty()) {
      throw fields.failure("its log cannot be replayed: no valid entry");
    }
    ByteBuffer head = best.getLast().bytes();
    if (fields.file().size() < head.getLong(48)) {
      throw fields.failure("its log cannot be replayed: the file is cut off");
    }
    return best;
  }

  private Entry entry(long at, Map<Long, Entry> known) throws BlockException {
    if (!known.containsKey(at)) {
      known.put(at, read(at));
    }
    return known.get(at);
  }

  /** The entry at an offset of the log, null if there is none. */
  private Entry read(long at) throws BlockException {
    ByteBuffer head = fields.bytes(start + at, ENTRY_BYTES);
    int bytes = head.getInt(8);
    long tail = head.getInt(12) & 0xffff_ffffL;
    if (head.getInt(0) != LOGE || head.getLong(32) != guidLow || head.getLong(40) != guidHigh
        || bytes < SECTOR || bytes % SECTOR != 0 || bytes > length || tail % SECTOR != 0 || tail >= length
        || head.getLong(16) == 0) {
      return null;
    }
    budget -= bytes;
    if (budget < 0) {
      throw fields.failure("its log cannot be replayed: entries overlap");
    }
    ByteBuffer all = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int first = (int) Math.min(bytes, length - at);
    all.put(fields.bytes(start + at, first));
    if (first < bytes) {
      all.put(fields.bytes(start, bytes - first));
    }
    all.flip();
    return checksum(all) == all.getInt(4) && isWhole(all) ? new Entry(at, bytes, tail, all.getLong(16), all) : null;
  }

  /** CRC-32C of a structure whose own checksum is at offset 4 and counts as zero. */
  static int checksum(ByteBuffer bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes.slice(0, 4));
    crc.update(new byte[4]);
    crc.update(bytes.slice(8, bytes.limit() - 8));
    return (int) crc.getValue();
  }

  private static int dataStart(int descriptors) {
    return Math.ceilDiv(ENTRY_BYTES + descriptors * DESCRIPTOR_BYTES, SECTOR) * SECTOR;
  }

  private static boolean isWhole(ByteBuffer all) {
    int count = all.getInt(24);
    if (count < 0 || count > (all.limit() - ENTRY_BYTES) / DESCRIPTOR_BYTES) {
      return false;
    }
    long sequence = all.getLong(16);
    int data = dataStart(count);
    for (int i = 0; i < count; i++) {
      int at = ENTRY_BYTES + i * DESCRIPTOR_BYTES;
      int kind = all.getInt(at);
      if (kind != ZERO && kind != DESC || all.getLong(at + 24) != sequence) {
        return false;
      }
      if (kind == DESC) {
        if (data + SECTOR > all.limit() || all.getInt(data) != DATA
            || all.getInt(data + 4) != (int) (sequence >>> 32)
            || all.getInt(data + SECTOR - 4) != (int) sequence) {
          return false;
        }
        data += SECTOR;
      }
    }
    return true;
  }

  private void apply(Entry entry, Map<Long, byte[]> changes) throws BlockException {
    ByteBuffer all = entry.bytes();
    int count = all.getInt(24);
    int data = dataStart(count);
    for (int i = 0; i < count; i++) {
      int at = ENTRY_BYTES + i * DESCRIPTOR_BYTES;
      long place = all.getLong(at + 16);
      if (place < 0 || place % SECTOR != 0) {
        throw fields.failure("its log changes what is at no sector");
      }
      if (all.getInt(at) == DESC) {
        ByteBuffer sector = ByteBuffer.allocate(SECTOR).order(ByteOrder.LITTLE_ENDIAN);
        sector.putLong(all.getLong(at + 8));
        sector.put(all.slice(data + 8, SECTOR - 12));
        sector.putInt(all.getInt(at + 4));
        changes.put(place, sector.array());
        data += SECTOR;
      } else {
        long zeroes = all.getLong(at + 8);
        if (zeroes < 0 || zeroes % SECTOR != 0 || zeroes > MAX_LOG) {
          throw fields.failure("its log writes too many zeroes");
        }
        for (long done = 0; done < zeroes; done += SECTOR) {
          changes.put(place + done, new byte[SECTOR]);
        }
      }
      if ((long) changes.size() * SECTOR > 2 * MAX_LOG) {
        throw fields.failure("its log changes too much");
      }
    }
  }
}
