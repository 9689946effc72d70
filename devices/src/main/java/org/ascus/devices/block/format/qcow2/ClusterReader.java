package org.ascus.devices.block.format.qcow2;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.DebugEvent;
import org.ascus.devices.block.crypto.SectorCiphers;

/** Reads guest bytes from wherever they are. Any number of threads may read, while nobody changes the tables. */
final class ClusterReader {
  private record Expanded(long entry, byte[] bytes) {}

  private static final int SECTOR = 512;
  private static final byte[] ZEROES = new byte[64 * 1024];

  private final ImageFile file;
  private final Header header;
  private final ClusterTable clusters;
  private final BlockNode data;
  private final Optional<BlockNode> backing;
  private final Optional<SectorCiphers> byGuestSector;
  private volatile Expanded last = new Expanded(0, new byte[0]);

  /** @param byGuestSector decrypts what {@code data} gives, by where the guest has it */
  ClusterReader(ImageFile file, Header header, ClusterTable clusters, BlockNode data, Optional<BlockNode> backing,
      Optional<SectorCiphers> byGuestSector) {
    this.file = file;
    this.header = header;
    this.clusters = clusters;
    this.data = data;
    this.backing = backing;
    this.byGuestSector = byGuestSector;
  }

  /** Whether unallocated bytes at {@code guest} or after are a backing file's. */
  boolean backed(long guest) {
    return backing.isPresent() && guest < backing.get().size();
  }

  /** Whether [guest, guest + length) reads as zero as far as the tables tell. */
  boolean isZero(long guest, long length) throws BlockException {
    long at = guest;
    while (at < guest + length) {
      Mapping mapping = clusters.find(at, guest + length - at);
      if (!mapping.isZero() && (mapping.kind() != Mapping.Kind.UNALLOCATED || backed(at))) {
        return false;
      }
      at += mapping.length();
    }
    return true;
  }

  void read(long guest, ByteBuffer target) throws BlockException {
    int end = target.limit();
    long at = guest;
    while (target.position() < end) {
      Mapping mapping = clusters.find(at, end - target.position());
      target.limit(target.position() + (int) mapping.length());
      switch (mapping.kind()) {
        case UNALLOCATED -> readBacking(at, target);
        case ZERO, ZERO_ALLOCATED -> zero(target);
        case DATA -> readData(at, mapping.host(), target);
        case COMPRESSED -> target.put(
            expand(mapping.host()), (int) (at & header.clusterSize() - 1), target.remaining());
      }
      target.limit(end);
      at += mapping.length();
    }
  }

  /** Where [guest, guest + length) begins in the data, and how much of it is there as it is. */
  Mapping run(long guest, long length) throws BlockException {
    Mapping none = new Mapping(Mapping.Kind.UNALLOCATED, 0, 0);
    return length == 0 || byGuestSector.isPresent() ? none : clusters.find(guest, length);
  }

  private void readData(long guest, long host, ByteBuffer target) throws BlockException {
    if (byGuestSector.isEmpty()) {
      data.read(host, target);
      return;
    }
    int inside = (int) (guest % SECTOR);
    byte[] sectors = new byte[(inside + target.remaining() + SECTOR - 1) / SECTOR * SECTOR];
    data.read(host - inside, ByteBuffer.wrap(sectors));
    byGuestSector.get().decrypt(guest / SECTOR, sectors, 0, sectors.length);
    target.put(sectors, inside, target.remaining());
  }

  private void readBacking(long guest, ByteBuffer target) throws BlockException {
    int end = target.limit();
    if (backed(guest)) {
      target.limit(target.position() + (int) Math.min(target.remaining(), backing.get().size() - guest));
      file.event(DebugEvent.READ_BACKING_AIO);
      backing.get().read(guest, target);
      target.limit(end);
    }
    zero(target);
  }

  static void zero(ByteBuffer target) {
    while (target.hasRemaining()) {
      target.put(ZEROES, 0, Math.min(ZEROES.length, target.remaining()));
    }
  }

  /** Place of a compressed cluster: its offset and the bytes of the sectors that it touches from there on. */
  static long compressedOffset(Header header, long entry) {
    return entry & (1L << compressedShift(header)) - 1 & ClusterTable.MAX_OFFSET - 1;
  }

  static int compressedShift(Header header) {
    return 62 - (header.clusterBits - 8);
  }

  static int compressedBytes(Header header, long entry) {
    long sectors = (entry & ClusterTable.COMPRESSED - 1) >>> compressedShift(header);
    return (int) ((sectors + 1) * 512 - (compressedOffset(header, entry) & 511));
  }

  private byte[] expand(long entry) throws BlockException {
    Expanded known = last;
    if (known.entry == entry) {
      return known.bytes;
    }
    long offset = compressedOffset(header, entry);
    byte[] cluster = new byte[header.clusterSize()];
    if (offset >= file.size()) {
      throw file.corrupt("compressed cluster at 0x" + Long.toHexString(offset) + " is outside the file");
    }
    file.event(DebugEvent.READ_COMPRESSED);
    byte[] stored = file.read(offset, compressedBytes(header, entry));
    Optional<String> wrong = Compression.expand(header.compression, stored, cluster);
    if (wrong.isPresent()) {
      throw file.corrupt("compressed cluster at 0x" + Long.toHexString(offset) + ": " + wrong.get());
    }
    last = new Expanded(entry, cluster);
    return cluster;
  }

  /** To be called when the place of a compressed cluster may get other contents. */
  void forgetExpanded() {
    last = new Expanded(0, new byte[0]);
  }

  /** The bytes of [from, from + length); a fresh array. */
  ByteBuffer copy(long from, int length) throws BlockException {
    ByteBuffer bytes = ByteBuffer.allocate(length);
    int inside = (int) Math.min(length, Math.max(0, header.size - from));
    bytes.limit(inside);
    read(from, bytes);
    Arrays.fill(bytes.array(), inside, length, (byte) 0);
    return bytes.clear();
  }
}
