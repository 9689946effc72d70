package org.ascus.devices.net.e1000e;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.ascus.devices.dma.DmaException;
import org.ascus.devices.dma.DmaMemory;
import org.ascus.devices.net.Checksum;
import org.ascus.devices.net.Frame;
import org.ascus.devices.net.NetLink;
import org.ascus.devices.net.Offload;
import org.ascus.devices.net.Offloads;
import org.ascus.devices.net.Segments;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;

/**
 * A transmit queue (section 7.2). A descriptor is 16 bytes, little-endian; bits 24 to 31 of the third word command:
 * 0 end of frame, 2 checksum (legacy) or segment, 3 report, 5 extended, 6 VLAN tag.
 *
 * <ul>
 *   <li>legacy: buffer address (64 bits), length (16), checksum offset (8), command, status (8), checksum start (8),
 *       VLAN tag (16)
 *   <li>context: IP checksum start, offset (8 each) and end (16), TCP checksum likewise, payload length (20), type 0,
 *       command (0 TCP, 1 IPv4), status, header length (8), segment size (16)
 *   <li>data: buffer address, length (20), type 1, command, status, options (bit 0 IP, 1 TCP checksum), VLAN tag
 * </ul>
 *
 * <p>Once a frame is whole its descriptors are done; while the back end has no room the frame waits here.
 */
final class Transmitter {
  private static final int DESCRIPTOR = 16;
  private static final int STATUS_BYTE = 12;
  private static final int END = 1;
  private static final int CHECKSUM_OR_SEGMENT = 1 << 2;
  private static final int REPORT = 1 << 3;
  private static final int EXTENDED = 1 << 5;
  private static final int TAG = 1 << 6;
  private static final int TYPE_DATA = 1;
  private static final int CONTEXT_IPV4 = 1 << 1;
  private static final int OPTION_IP = 1;
  private static final int OPTION_TCP = 2;
  private static final int HEADER6 = 40;
  private static final int LEAST_IP = 20;
  private static final int LEAST_TCP = 20;
  private static final int VLAN = 4;
  private static final int ADDRESSES = 12;
  private static final List<Offload.Cut> CUTS = List.of(Offload.Cut.values());
  private static final int MOST_IP = 0xffff;

  /** What the whole card has. */
  record Card(
      RegisterFile registers,
      DmaMemory memory,
      NetLink link,
      Interrupts interrupts,
      Statistics statistics,
      Consumer<String> guestError) {}

  private final Card card;
  private final int shift;
  private final String name;
  private final byte[] descriptor = new byte[DESCRIPTOR];
  private final byte[] data = new byte[Frame.MAX_BYTES];
  private final int[] context = new int[4];
  private int length;
  private int options;
  private boolean tooLong;
  private boolean inFrame;
  private Optional<Segments> held = Optional.empty();

  /**
   * @param number 0 or 1
   */
  Transmitter(Card card, int number) {
    this.card = card;
    this.shift = number * Register.QUEUE_STEP;
    this.name = "transmit" + number;
  }

  void reset() {
    Arrays.fill(context, 0);
    length = 0;
    options = 0;
    tooLong = false;
    inFrame = false;
    held = Optional.empty();
  }

  private int register(int offset) {
    return card.registers.get(offset + shift);
  }

  private int word(int index) {
    int at = 4 * index;
    return descriptor[at] & 0xff
        | (descriptor[at + 1] & 0xff) << 8
        | (descriptor[at + 2] & 0xff) << 16
        | descriptor[at + 3] << 24;
  }

  /** Sends what the driver has put into the ring, as far as there is room. */
  void run() {
    int count = register(Register.TDLEN) / DESCRIPTOR;
    int tail = register(Register.TDT);
    int causes = 0;
    if (flush() && register(Register.TDH) != tail && card.registers.has(Register.TCTL, Register.TCTL_ENABLE)) {
      if (tail >= count || register(Register.TDH) >= count) {
        card.guestError.accept(name + ": ring of " + count + ", head " + register(Register.TDH) + ", tail " + tail);
        return;
      }
      long base = register(Register.TDBAL) & 0xffff_ffffL | (long) register(Register.TDBAH) << 32;
      boolean room = true;
      int head = register(Register.TDH);
      while (room && head != tail) {
        long address = base + (long) head * DESCRIPTOR;
        head = head + 1 == count ? 0 : head + 1;
        try {
          causes |= take(address);
        } catch (DmaException e) {
          card.guestError.accept(name + ": " + e.getMessage());
          inFrame = false;
          head = tail;
        }
        room = flush();
      }
      card.registers.set(Register.TDH + shift, head);
      causes |= head == tail ? Interrupts.TX_EMPTY : 0;
    }
    if (causes != 0) {
      card.interrupts.cause(causes);
    }
  }

  /** Does one descriptor; returns what it causes. */
  private int take(long address) throws DmaException {
    card.memory.read(address, descriptor, 0, DESCRIPTOR);
    int command = word(2) >>> 24;
    boolean extended = (command & EXTENDED) != 0;
    if (extended && (word(2) >>> 20 & 15) != TYPE_DATA) {
      for (int i = 0; i < context.length; i++) {
        context[i] = word(i);
      }
    } else {
      gather(command, extended);
    }
    if ((command & REPORT) == 0) {
      return 0;
    }
    descriptor[STATUS_BYTE] = 1;
    card.memory.write(address + STATUS_BYTE, descriptor, STATUS_BYTE, 1);
    return Interrupts.TX_DONE | Interrupts.TX_QUEUE << (shift == 0 ? 0 : 1);
  }

  private void gather(int command, boolean extended) throws DmaException {
    if (!inFrame) {
      inFrame = true;
      length = 0;
      tooLong = false;
      options = extended ? word(3) >>> 8 & 0xff : 0;
    }
    int bytes = word(2) & (extended ? 0xf_ffff : 0xffff);
    if (bytes > data.length - length) {
      tooLong = true;
    } else {
      card.memory.read(word(0) & 0xffff_ffffL | (long) word(1) << 32, data, length, bytes);
      length += bytes;
    }
    if ((command & END) == 0) {
      return;
    }
    inFrame = false;
    if (tooLong || length < Frame.HEADER) {
      card.guestError.accept(name + ": frame of " + (tooLong ? "too many" : length) + " bytes");
      return;
    }
    try {
      Frame frame = frame(extended, (command & CHECKSUM_OR_SEGMENT) != 0);
      boolean tag = (command & TAG) != 0 && card.registers.has(Register.CTRL, Register.CTRL_VLAN_MODE);
      held = Optional.of(new Segments(tag ? tagged(frame, word(3) >>> 16) : frame, card.link.offloads()));
    } catch (IllegalArgumentException e) {
      card.guestError.accept(name + ": " + e.getMessage());
    }
  }

  private Frame frame(boolean extended, boolean checksumOrSegment) {
    byte[] bytes = Arrays.copyOf(data, length);
    if (!extended) {
      int start = word(3) >>> 8 & 0xff;
      Offload work = checksumOrSegment ? sum(bytes, start, word(2) >>> 16 & 0xff, length) : Offload.NONE;
      return new Frame(bytes, work);
    }
    int start = context[1] & 0xff;
    int field = context[1] >>> 8 & 0xff;
    if (checksumOrSegment) {
      return sequence(bytes, start, field);
    }
    if ((options & OPTION_IP) != 0) {
      int end = context[0] >>> 16;
      Offload now = sum(bytes, context[0] & 0xff, context[0] >>> 8 & 0xff, end == 0 ? length : end + 1);
      complete(bytes, now, end == 0 ? length : end + 1);
    }
    if ((options & OPTION_TCP) == 0) {
      return new Frame(bytes);
    }
    int end = context[1] >>> 16;
    Offload work = sum(bytes, start, field, end == 0 ? length : end + 1);
    if (end == 0 || end + 1 == length) {
      return new Frame(bytes, work);
    }
    complete(bytes, work, end + 1);
    return new Frame(bytes);
  }

  private static Offload sum(byte[] bytes, int start, int field, int end) {
    if (start >= end || end > bytes.length || field < start || field + 2 > end) {
      throw new IllegalArgumentException(
          "checksum at " + field + " of bytes " + start + " to " + end + " of a frame of " + bytes.length);
    }
    return new Offload(start, field - start, Offload.Cut.NONE, 0, false);
  }

  private static void complete(byte[] bytes, Offload work, int end) {
    int start = work.checksumStart();
    Checksum.put(bytes, start + work.checksumField(), Checksum.of(bytes, start, end - start, 0));
  }

  /** A sequence of segments: the driver leaves lengths out of headers and of the pseudo header's sum. */
  private Frame sequence(byte[] bytes, int tcp, int field) {
    int ip = context[0] & 0xff;
    boolean v4 = (context[2] >>> 24 & CONTEXT_IPV4) != 0;
    int most = MOST_IP + ip + (v4 ? 0 : HEADER6);
    boolean sound = ip >= Frame.HEADER && ip + LEAST_IP <= tcp && tcp + LEAST_TCP <= bytes.length;
    if (!sound || bytes.length > most || field < tcp || field + 2 > tcp + LEAST_TCP || context[3] >>> 16 == 0) {
      throw new IllegalArgumentException(
          "segmentation, IP at " + ip + ", TCP at " + tcp + ", frame of " + bytes.length + " bytes");
    }
    if (v4) {
      Checksum.put(bytes, ip + 2, bytes.length - ip);
      Checksum.put(bytes, ip + 10, 0);
      Checksum.put(bytes, ip + 10, Checksum.of(bytes, ip, tcp - ip, 0));
    } else {
      Checksum.put(bytes, ip + 4, bytes.length - ip - HEADER6);
    }
    int pseudo = (bytes[field] & 0xff) << 8 | bytes[field + 1] & 0xff;
    Checksum.put(bytes, field, Checksum.partial((long) pseudo + bytes.length - tcp));
    card.statistics.segmented();
    Offload.Cut cut = v4 ? Offload.Cut.TCP4 : Offload.Cut.TCP6;
    return new Frame(bytes, new Offload(tcp, field - tcp, cut, context[3] >>> 16, false));
  }

  private Frame tagged(Frame frame, int tag) {
    byte[] bytes = new byte[frame.length() + VLAN];
    System.arraycopy(frame.bytes(), 0, bytes, 0, ADDRESSES);
    Checksum.put(bytes, ADDRESSES, card.registers.get(Register.VET));
    Checksum.put(bytes, ADDRESSES + 2, tag);
    System.arraycopy(frame.bytes(), ADDRESSES, bytes, ADDRESSES + VLAN, frame.length() - ADDRESSES);
    Offload work = frame.work();
    int start = work.needsChecksum() ? work.checksumStart() + VLAN : -1;
    return new Frame(bytes, new Offload(start, work.checksumField(), work.cut(), work.segmentSize(), false));
  }

  /** Returns whether nothing waits any more. */
  private boolean flush() {
    while (held.isPresent()) {
      Frame piece = held.get().next();
      if (!card.link.send(piece)) {
        return false;
      }
      card.statistics.sent(piece.bytes());
      held.get().advance();
      held = held.filter(Segments::hasNext);
    }
    return true;
  }

  void save(StateWriter out) {
    out.putInts(name + ".context", context);
    out.putBytes(name + ".data", Arrays.copyOf(data, length));
    out.putLongs(name + ".frame", options, inFrame ? 1 : 0, tooLong ? 1 : 0);
    out.putBytes(name + ".held", held.map(h -> h.whole().bytes()).orElse(new byte[0]));
    Offload work = held.map(h -> h.whole().work()).orElse(Offload.NONE);
    out.putLongs(
        name + ".heldWork",
        work.checksumStart(),
        work.checksumField(),
        work.cut().ordinal(),
        work.segmentSize(),
        held.map(Segments::position).orElse(0));
  }

  void load(StateReader in) throws StateException {
    reset();
    long[] words = in.getLongs(name + ".context", context.length);
    for (int i = 0; i < words.length; i++) {
      context[i] = (int) words[i];
    }
    byte[] part = in.getBytes(name + ".data");
    long[] frame = in.getLongs(name + ".frame", 3);
    byte[] bytes = in.getBytes(name + ".held");
    long[] work = in.getLongs(name + ".heldWork", 5);
    if (part.length > data.length || bytes.length > Frame.MAX_BYTES || work[2] < 0 || work[2] >= CUTS.size()) {
      throw new StateException(name + ": frames of " + part.length + " and " + bytes.length + " bytes");
    }
    System.arraycopy(part, 0, data, 0, part.length);
    length = part.length;
    options = (int) frame[0] & 0xff;
    inFrame = frame[1] != 0;
    tooLong = frame[2] != 0;
    if (bytes.length > 0) {
      hold(bytes, work);
    }
  }

  private void hold(byte[] bytes, long[] work) throws StateException {
    long start = work[0];
    boolean sound = start < 0 || work[1] >= 0 && start + work[1] + 2 <= bytes.length;
    if (bytes.length < Frame.HEADER || !sound || work[3] < 0 || work[3] > MOST_IP) {
      throw new StateException(name + ": work on a frame of " + bytes.length + " bytes");
    }
    Offload offload = new Offload((int) start, (int) work[1], CUTS.get((int) work[2]), (int) work[3], false);
    try {
      // The receiver may be another one now; what was begun to be cut goes on being cut.
      Segments pieces = new Segments(new Frame(bytes, offload), work[4] > 0 ? Offloads.NONE : card.link.offloads());
      while (pieces.position() < work[4] && pieces.hasNext()) {
        pieces.advance();
      }
      held = Optional.of(pieces).filter(Segments::hasNext);
    } catch (IllegalArgumentException e) {
      throw new StateException(name + ": " + e.getMessage());
    }
  }
}
