package org.ascus.devices.net.user;

import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.Map;
import org.ascus.devices.net.Frame;

/**
 * Puts IP fragments of the guest together (RFC 791, section 3.2; RFC 8200, section 4.5). Keeps the latest few packets;
 * those that are never complete make room for others.
 */
final class Reassembly {
  static final byte FRAGMENT6 = 44;

  private static final int MOST = 16;
  private static final int MAX_BYTES = 65535;
  private static final int UNIT = 8;

  private record Key(IpAddress from, IpAddress to, int protocol, int id) {}

  private static final class Parts {
    final BitSet units = new BitSet();
    byte[] bytes = new byte[0];
    int end = -1;
  }

  private final Map<Key, Parts> all =
      new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Key, Parts> eldest) {
          return size() > MOST;
        }
      };

  /** Adds a fragment; returns the packet if it is complete with that, null otherwise. */
  IpPacket add(IpPacket p) {
    boolean v4 = p.from().isV4();
    if (!v4 && p.length() < UNIT) {
      return null;
    }
    int word = v4 ? IpPacket.read16(p.bytes(), p.header() + 6) : p.read16(2);
    int offset = v4 ? (word & 0x1fff) * UNIT : word & ~7;
    boolean more = v4 ? (word & 0x2000) != 0 : (word & 1) != 0;
    int id = v4 ? IpPacket.read16(p.bytes(), p.header() + 4) : p.read32(4);
    int protocol = v4 ? p.protocol() : p.read8(0);
    int start = p.payload() + (v4 ? 0 : UNIT);
    int length = p.length() - (v4 ? 0 : UNIT);
    int end = offset + length;
    if (end > MAX_BYTES || length == 0 || more && length % UNIT != 0) {
      return null;
    }
    Key key = new Key(p.from(), p.to(), protocol, id);
    Parts parts = all.computeIfAbsent(key, _ -> new Parts());
    if (end > parts.bytes.length) {
      parts.bytes = Arrays.copyOf(parts.bytes, end);
    }
    System.arraycopy(p.bytes(), start, parts.bytes, offset, length);
    parts.units.set(offset / UNIT, (end + UNIT - 1) / UNIT);
    parts.end = more ? parts.end : end;
    if (parts.end < 0 || parts.units.nextClearBit(0) < (parts.end + UNIT - 1) / UNIT) {
      return null;
    }
    all.remove(key);
    byte[] frame = new byte[Frame.HEADER + parts.end];
    System.arraycopy(parts.bytes, 0, frame, Frame.HEADER, Math.min(parts.end, parts.bytes.length));
    return new IpPacket(frame, p.from(), p.to(), protocol, Frame.HEADER, Frame.HEADER, parts.end);
  }
}
