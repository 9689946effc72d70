package org.ascus.devices.virtio.net;

import java.util.Arrays;
import java.util.BitSet;
import java.util.HashSet;
import java.util.Set;
import org.ascus.devices.net.MacAddress;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;

/**
 * Which frames the driver wants (VIRTIO 1.2, section 5.1.6.5): modes, a table of addresses, a table of VLANs. Until the
 * driver says something it gets all.
 */
final class RxFilter {
  /** Addresses in the table; with more, each address of that kind passes. */
  private static final int TABLE = 64;

  private static final int VLANS = 4096;
  private static final int TYPE_VLAN = 0x8100;

  /** The modes that a driver switches, by command of class VIRTIO_NET_CTRL_RX. */
  static final int PROMISCUOUS = 0;

  private static final int ALL_GROUP = 1;
  private static final int ALL_SINGLE = 2;
  private static final int NO_GROUP = 3;
  private static final int NO_SINGLE = 4;
  private static final int NO_BROADCAST = 5;

  /** Number of modes. */
  static final int MODES = 6;

  private final boolean[] modes = new boolean[MODES];
  private final Set<MacAddress> single = new HashSet<>();
  private final Set<MacAddress> group = new HashSet<>();
  private boolean singleOverflow;
  private boolean groupOverflow;
  private BitSet vlans = new BitSet(VLANS);

  RxFilter() {
    reset(false);
  }

  /**
   * Back to passing everything.
   *
   * @param vlanFilter the driver will name its VLANs
   */
  void reset(boolean vlanFilter) {
    Arrays.fill(modes, false);
    modes[PROMISCUOUS] = true;
    clearTable();
    vlans.set(0, VLANS, !vlanFilter);
  }

  private void clearTable() {
    single.clear();
    group.clear();
    singleOverflow = false;
    groupOverflow = false;
  }

  void setMode(int mode, boolean on) {
    modes[mode] = on;
  }

  /**
   * Replaces the table of addresses.
   *
   * @param data two lists, each a 32-bit little-endian count and that many addresses: single stations, then groups
   * @return whether {@code data} is that
   */
  boolean setTable(byte[] data) {
    int singles = count(data, 0);
    int groupsAt = 4 + singles * MacAddress.BYTES;
    int groups = singles < 0 ? -1 : count(data, groupsAt);
    if (groups < 0 || groupsAt + 4 + groups * MacAddress.BYTES != data.length) {
      return false;
    }
    clearTable();
    singleOverflow = add(data, 4, singles, single);
    groupOverflow = add(data, groupsAt + 4, groups, group);
    return true;
  }

  private static int count(byte[] data, int at) {
    if (at + 4 > data.length) {
      return -1;
    }
    long count = data[at] & 0xffL | (data[at + 1] & 0xffL) << 8 | (data[at + 2] & 0xffL) << 16
        | (data[at + 3] & 0xffL) << 24;
    return count * MacAddress.BYTES > data.length - at - 4 ? -1 : (int) count;
  }

  private boolean add(byte[] data, int at, int count, Set<MacAddress> table) {
    if (count > TABLE - single.size()) {
      return true;
    }
    for (int i = 0; i < count; i++) {
      table.add(MacAddress.of(data, at + i * MacAddress.BYTES));
    }
    return false;
  }

  /** Returns false for a number that no VLAN has. */
  boolean setVlan(int number, boolean wanted) {
    if (number >= VLANS) {
      return false;
    }
    vlans.set(number, wanted);
    return true;
  }

  /** Whether the driver of a card with address {@code own} wants the frame, which has an Ethernet header. */
  boolean passes(byte[] frame, MacAddress own) {
    if (modes[PROMISCUOUS]) {
      return true;
    }
    if (((frame[12] & 0xff) << 8 | frame[13] & 0xff) == TYPE_VLAN && frame.length >= 16
        && !vlans.get((frame[14] & 15) << 8 | frame[15] & 0xff)) {
      return false;
    }
    MacAddress to = MacAddress.of(frame, 0);
    if (to.equals(MacAddress.BROADCAST)) {
      return !modes[NO_BROADCAST];
    }
    if (to.isGroup()) {
      return !modes[NO_GROUP] && (modes[ALL_GROUP] || groupOverflow || group.contains(to));
    }
    return !modes[NO_SINGLE] && (modes[ALL_SINGLE] || singleOverflow || to.equals(own) || single.contains(to));
  }

  void save(StateWriter out) {
    int bits = 0;
    for (int i = 0; i < MODES; i++) {
      bits |= modes[i] ? 1 << i : 0;
    }
    out.putLong("rxModes", bits);
    out.putLongs("rxSingle", values(single));
    out.putLongs("rxGroup", values(group));
    out.putLongs("rxOverflow", singleOverflow ? 1 : 0, groupOverflow ? 1 : 0);
    out.putBytes("vlans", vlans.toByteArray());
  }

  private static long[] values(Set<MacAddress> table) {
    return table.stream().mapToLong(MacAddress::value).sorted().toArray();
  }

  void load(StateReader in) throws StateException {
    long bits = in.getLong("rxModes", 0, (1 << MODES) - 1);
    for (int i = 0; i < MODES; i++) {
      modes[i] = (bits >> i & 1) != 0;
    }
    load(in.getLongs("rxSingle"), single);
    load(in.getLongs("rxGroup"), group);
    long[] overflow = in.getLongs("rxOverflow", 2);
    singleOverflow = overflow[0] != 0;
    groupOverflow = overflow[1] != 0;
    byte[] set = in.getBytes("vlans");
    if (set.length > VLANS / 8) {
      throw new StateException("field vlans: " + set.length + " bytes");
    }
    vlans = BitSet.valueOf(set);
  }

  private static void load(long[] values, Set<MacAddress> table) throws StateException {
    table.clear();
    for (long value : values) {
      if (value >>> 48 != 0 || table.size() == TABLE) {
        throw new StateException("table of addresses: 0x" + Long.toHexString(value) + " as number " + table.size());
      }
      table.add(new MacAddress(value));
    }
  }
}
