package org.ascus.devices.net.e1000e;

import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.ascus.devices.dma.DmaException;
import org.ascus.devices.net.Frame;

/**
 * The first receive queue (section 7.1), into which all frames go. The driver fills in the buffer address; what is
 * written over it when a frame has come, little-endian:
 *
 * <ul>
 *   <li>legacy: the address stays; length (16 bits), checksum (16), status (8), errors (8), VLAN tag (16)
 *   <li>extended: kind of hash, 0 (32), hash (32), status and errors (32), length (16), VLAN tag (16)
 *   <li>split, 32 bytes with four addresses: as extended with the bytes in the first buffer, then header status (16),
 *       bytes in the other three (16 each)
 * </ul>
 *
 * <p>Status: bit 0 done, 1 end of frame, 3 VLAN tag taken out, and those of {@link RxChecksum}. Frames are never split
 * at their headers: they fill one buffer after the other.
 */
final class Receiver {
  private static final int DONE = 1;
  private static final int END = 1 << 1;
  private static final int VLAN_TAKEN = 1 << 3;
  private static final int LEAST_FRAME = 60;
  private static final int MOST_FRAME = 1518;
  private static final int MOST_LONG = 16 << 10;
  private static final int CRC = 4;
  private static final int VLAN = 4;
  private static final int ADDRESSES = 12;
  private static final int SPLIT_BUFFERS = 4;

  /** Bytes that head and tail count in, whatever the size of a descriptor. */
  private static final int UNIT = 16;

  private final Transmitter.Card card;
  private final RxFilter filter;
  private final byte[] descriptor = new byte[32];

  Receiver(Transmitter.Card card, RxFilter filter) {
    this.card = card;
    this.filter = filter;
  }

  private int register(int offset) {
    return card.registers().get(offset);
  }

  private boolean split() {
    return card.registers().has(Register.RCTL, Register.RCTL_SPLIT);
  }

  /** Bytes of a descriptor's buffers; those of a descriptor that is not split have one. */
  private int[] bufferSizes() {
    if (split()) {
      int sizes = register(Register.PSRCTL);
      return new int[] {
        (sizes & 0x7f) * 128, (sizes >>> 8 & 0x3f) * 1024, (sizes >>> 16 & 0x3f) * 1024, (sizes >>> 24 & 0x3f) * 1024
      };
    }
    int rctl = register(Register.RCTL);
    int flexible = rctl >>> 27 & 15;
    int size = 2048 >> (rctl >>> 16 & 3);
    return new int[] {flexible != 0 ? flexible * 1024 : (rctl & Register.RCTL_SIZE_EXTENSION) != 0 ? size * 16 : size};
  }

  private int descriptorSize() {
    return split() ? 2 * UNIT : UNIT;
  }

  /** Takes a finished frame, or drops it; returns false if there are too few buffers now. */
  boolean receive(Frame frame) {
    if (!card.registers().has(Register.RCTL, Register.RCTL_ENABLE)) {
      return true;
    }
    byte[] bytes = frame.bytes();
    boolean tagged = RxFilter.type(bytes) == register(Register.VET) && bytes.length >= ADDRESSES + VLAN + 2;
    boolean longer = card.registers().has(Register.RCTL, Register.RCTL_LONG);
    if (bytes.length + CRC > (longer ? MOST_LONG : MOST_FRAME + (tagged ? VLAN : 0))) {
      card.statistics().tooLong();
      return true;
    }
    if (!filter.passes(bytes)) {
      return true;
    }
    boolean strip = tagged && card.registers().has(Register.CTRL, Register.CTRL_VLAN_MODE);
    byte[] kept = strip ? without(bytes) : bytes;
    int tag = strip ? (bytes[14] & 0xff) << 8 | bytes[15] & 0xff : 0;
    int crc = card.registers().has(Register.RCTL, Register.RCTL_STRIP_CRC) ? 0 : CRC;
    int length = Math.max(LEAST_FRAME, kept.length) + crc;
    int status = (strip ? VLAN_TAKEN : 0) | checksums(kept, frame.work().verified());
    return fill(Arrays.copyOf(kept, length), status, tag, bytes);
  }

  private static byte[] without(byte[] bytes) {
    byte[] kept = new byte[bytes.length - VLAN];
    System.arraycopy(bytes, 0, kept, 0, ADDRESSES);
    System.arraycopy(bytes, ADDRESSES + VLAN, kept, ADDRESSES, kept.length - ADDRESSES);
    return kept;
  }

  private int checksums(byte[] bytes, boolean verified) {
    boolean ip = card.registers().has(Register.RXCSUM, Register.RXCSUM_IP);
    boolean tcp = card.registers().has(Register.RXCSUM, Register.RXCSUM_TCP_UDP);
    return ip || tcp ? RxChecksum.check(bytes, verified, ip, tcp) : RxChecksum.IGNORE;
  }

  private boolean fill(byte[] bytes, int status, int tag, byte[] onCable) {
    int count = register(Register.RDLEN) / UNIT;
    int step = descriptorSize() / UNIT;
    int head = register(Register.RDH);
    int tail = register(Register.RDT);
    int[] sizes = bufferSizes();
    int each = Arrays.stream(sizes).sum();
    if (head >= count || tail >= count || each == 0) {
      card.guestError().accept("receive ring of " + count + ", head " + head + ", tail " + tail);
      return true;
    }
    int needed = (bytes.length + each - 1) / each * step;
    if (needed >= count) {
      card.guestError().accept("frame of " + bytes.length + " bytes for a ring of " + count);
      return true;
    }
    int free = Math.floorMod(tail - head, count);
    if (needed > free) {
      card.statistics().noBuffers();
      return false;
    }
    long base = register(Register.RDBAL) & 0xffff_ffffL | (long) register(Register.RDBAH) << 32;
    int at = 0;
    try {
      for (int i = head; at < bytes.length; i += step) {
        int end = Math.min(bytes.length, at + each);
        int bits = status | DONE | (end == bytes.length ? END : 0);
        put(base + (long) i % count * UNIT, bytes, at, end, sizes, bits, tag);
        at = end;
      }
    } catch (DmaException e) {
      card.guestError().accept("receive: " + e.getMessage());
    }
    card.registers().set(Register.RDH, (head + needed) % count);
    card.statistics().received(onCable);
    int few = count >> 1 + Math.min(2, register(Register.RCTL) >>> 8 & 3);
    boolean low = free - needed <= few;
    card.interrupts().cause(Interrupts.RX | Interrupts.RX_QUEUE | (low ? Interrupts.RX_FEW : 0));
    return true;
  }

  /** Writes bytes {@code from} to {@code end} to the buffers of one descriptor, then the descriptor. */
  private void put(long address, byte[] bytes, int from, int end, int[] sizes, int status, int tag)
      throws DmaException {
    int size = descriptorSize();
    card.memory().read(address, descriptor, 0, size);
    ByteBuffer out = ByteBuffer.wrap(descriptor).order(ByteOrder.LITTLE_ENDIAN);
    short[] lengths = new short[SPLIT_BUFFERS];
    int at = from;
    for (int i = 0; i < sizes.length && at < end; i++) {
      int length = Math.min(sizes[i], end - at);
      card.memory().write(out.getLong(8 * i), bytes, at, length);
      lengths[i] = (short) length;
      at += length;
    }
    if (!split() && !card.registers().has(Register.RFCTL, Register.RFCTL_EXTENDED)) {
      int statusByte = status & 0xff & ~(1 << 4);
      int errors = status >>> 24;
      out.putShort(8, lengths[0]).putShort(10, (short) 0).put(12, (byte) statusByte).put(13, (byte) errors);
      out.putShort(14, (short) tag);
    } else {
      out.putLong(0, 0).putInt(8, status).putShort(12, lengths[0]).putShort(14, (short) tag);
    }
    if (size > UNIT) {
      out.putLong(16, 0).putLong(24, 0);
      for (int i = 1; i < SPLIT_BUFFERS; i++) {
        out.putShort(16 + 2 * i, lengths[i]);
      }
      card.memory().write(address + 16, descriptor, 16, 16);
    }
    card.memory().write(address, descriptor, 0, 8);
    // The driver looks for the status, so that must come last.
    VarHandle.releaseFence();
    card.memory().write(address + 8, descriptor, 8, 8);
  }
}
