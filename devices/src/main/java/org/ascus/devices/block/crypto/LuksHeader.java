package org.ascus.devices.block.crypto;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;

/**
 * The header of a LUKS version 1 volume (LUKS specification, 2.3): 592 bytes, numbers big-endian.
 *
 * @param payload where the encrypted sectors begin, in sectors of 512 bytes from the header on
 * @param digest of the master key, 20 bytes
 * @param slots eight of them
 */
public record LuksHeader(
    CipherSpec spec, HashAlgorithm hash, long payload, byte[] digest, byte[] digestSalt, long digestIterations,
    String uuid, List<Slot> slots) {
  /**
   * A place for the master key, encrypted with a passphrase.
   *
   * @param iterations an unsigned 32-bit number
   * @param material where the encrypted key is, in sectors from the header on
   */
  public record Slot(boolean active, long iterations, byte[] salt, long material, int stripes) {}

  static final int SLOTS = 8;
  static final int STRIPES = 4000;
  static final int BYTES = 592;
  static final int DIGEST_BYTES = 20;
  static final int SALT_BYTES = 32;

  /** Where QEMU has key material begin, and what it aligns it to. */
  static final int ALIGNMENT = 4096;

  private static final byte[] MAGIC = {'L', 'U', 'K', 'S', (byte) 0xba, (byte) 0xbe};
  private static final int ACTIVE = 0x00ac71f3;
  private static final int DISABLED = 0x0000dead;
  private static final int SECTOR = SectorCipher.SECTOR;
  private static final int SLOTS_AT = 208;

  /** Bytes of a slot's key material. */
  int materialBytes() {
    return spec.keyBytes() * STRIPES;
  }

  private long materialSectors() {
    return Math.ceilDiv(materialBytes(), SECTOR);
  }

  /** Where the encrypted sectors begin, in bytes. */
  public long payloadOffset() {
    return payload * SECTOR;
  }

  /**
   * Reads a header and checks it.
   *
   * @param offset where it is in the node
   * @param limit bytes that header and key material may take
   */
  static LuksHeader read(BlockNode node, long offset, long limit) throws BlockException {
    try {
      if (limit < BYTES || offset > node.size() - BYTES) {
        throw new BlockException("Unable to read LUKS header");
      }
      byte[] bytes = new byte[BYTES];
      node.read(offset, ByteBuffer.wrap(bytes));
      LuksHeader header = parse(bytes);
      header.check(limit);
      return header;
    } catch (BlockException e) {
      throw new BlockException("Could not open '" + node.name() + "': " + e.getMessage(), e);
    }
  }

  private static LuksHeader parse(byte[] bytes) throws BlockException {
    if (!Arrays.equals(Arrays.copyOf(bytes, MAGIC.length), MAGIC)) {
      throw new BlockException("Volume is not in LUKS format");
    }
    ByteBuffer in = ByteBuffer.wrap(bytes).position(MAGIC.length);
    int version = in.getShort() & 0xffff;
    if (version != 1) {
      throw new BlockException("LUKS version " + version + " is not supported");
    }
    String cipher = text(in, 32, "cipher name");
    String mode = text(in, 32, "cipher mode");
    String hashName = text(in, 32, "hash spec");
    long payload = in.getInt() & 0xffff_ffffL;
    int keyBytes = in.getInt();
    byte[] digest = bytes(in, DIGEST_BYTES);
    byte[] salt = bytes(in, SALT_BYTES);
    long iterations = in.getInt() & 0xffff_ffffL;
    String uuid = text(in, 40, "uuid");
    CipherSpec spec = CipherSpec.parse(cipher, mode, keyBytes);
    HashAlgorithm hash = HashAlgorithm.of(hashName)
        .orElseThrow(() -> new BlockException("Hash algorithm '" + hashName + "' not supported"));
    List<Slot> slots = new ArrayList<>();
    for (int i = 0; i < SLOTS; i++) {
      int state = in.getInt();
      if (state != ACTIVE && state != DISABLED) {
        throw new BlockException("Keyslot " + i + " state (active/disable) is corrupted");
      }
      long slotIterations = in.getInt() & 0xffff_ffffL;
      slots.add(new Slot(state == ACTIVE, slotIterations, bytes(in, SALT_BYTES), in.getInt() & 0xffff_ffffL,
          in.getInt()));
    }
    return new LuksHeader(spec, hash, payload, digest, salt, iterations, uuid, List.copyOf(slots));
  }

  private static byte[] bytes(ByteBuffer in, int count) {
    byte[] bytes = new byte[count];
    in.get(bytes);
    return bytes;
  }

  private static String text(ByteBuffer in, int size, String what) throws BlockException {
    byte[] field = bytes(in, size);
    int end = 0;
    while (end < size && field[end] != 0) {
      end++;
    }
    if (end == size) {
      throw new BlockException("LUKS header " + what + " is not NUL terminated");
    }
    return new String(field, 0, end, StandardCharsets.ISO_8859_1);
  }

  private void check(long limit) throws BlockException {
    if (payload < ALIGNMENT / SECTOR) {
      throw new BlockException("LUKS payload is overlapping with the header");
    }
    if (digestIterations == 0) {
      throw new BlockException("LUKS key iteration count is zero");
    }
    for (int i = 0; i < SLOTS; i++) {
      Slot slot = slots.get(i);
      if (slot.stripes() != STRIPES) {
        throw new BlockException("Keyslot " + i + " is corrupted (stripes " + slot.stripes() + " != " + STRIPES + ")");
      }
      if (slot.material() < ALIGNMENT / SECTOR) {
        throw new BlockException("Keyslot " + i + " is overlapping with the LUKS header");
      }
      if (slot.active() && slot.iterations() == 0) {
        throw new BlockException("Keyslot " + i + " iteration count is zero");
      }
      long end = slot.material() + materialSectors();
      if (end > payload || end * SECTOR > limit) {
        throw new BlockException("Keyslot " + i + " is overlapping with the encrypted payload");
      }
      for (int j = 0; j < i; j++) {
        if (Math.abs(slots.get(j).material() - slot.material()) < materialSectors()) {
          throw new BlockException("Keyslots " + j + " and " + i + " are overlapping in the header");
        }
      }
    }
  }

  /** A header without keys, laid out as QEMU does. */
  static LuksHeader empty(CipherSpec spec, HashAlgorithm hash, byte[] digest, byte[] salt, long iterations,
      String uuid) {
    int first = ALIGNMENT / SECTOR;
    long each = Math.ceilDiv(Math.ceilDiv(spec.keyBytes() * STRIPES, SECTOR), first) * (long) first;
    List<Slot> slots = new ArrayList<>();
    for (int i = 0; i < SLOTS; i++) {
      slots.add(new Slot(false, 0, new byte[SALT_BYTES], first + i * each, STRIPES));
    }
    return new LuksHeader(spec, hash, first + SLOTS * each, digest, salt, iterations, uuid, List.copyOf(slots));
  }

  LuksHeader withSlot(int index, Slot slot) {
    List<Slot> changed = new ArrayList<>(slots);
    changed.set(index, slot);
    return new LuksHeader(spec, hash, payload, digest, digestSalt, digestIterations, uuid, List.copyOf(changed));
  }

  /** First slot without a key. */
  Optional<Integer> freeSlot() {
    for (int i = 0; i < SLOTS; i++) {
      if (!slots.get(i).active()) {
        return Optional.of(i);
      }
    }
    return Optional.empty();
  }

  ByteBuffer toBytes() {
    ByteBuffer out = ByteBuffer.allocate(BYTES);
    out.put(MAGIC).putShort((short) 1);
    put(out, 32, spec.cipher().family());
    put(out, 32, spec.modeText());
    put(out, 32, hash.text());
    out.putInt((int) payload).putInt(spec.keyBytes()).put(digest).put(digestSalt).putInt((int) digestIterations);
    put(out, 40, uuid);
    for (Slot slot : slots) {
      out.putInt(slot.active() ? ACTIVE : DISABLED).putInt((int) slot.iterations()).put(slot.salt());
      out.putInt((int) slot.material()).putInt(slot.stripes());
    }
    return out.position(SLOTS_AT + SLOTS * 48).flip();
  }

  private static void put(ByteBuffer out, int size, String text) {
    out.put(Arrays.copyOf(text.getBytes(StandardCharsets.ISO_8859_1), size));
  }
}
