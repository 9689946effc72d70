package org.ascus.devices.net.e1000e;

import org.ascus.devices.net.MacAddress;

/**
 * Which frames the driver wants (section 7.1.1): sixteen addresses, a hash of groups, VLANs. Receive address i is in
 * RAL (first four bytes, little-endian) and RAH (the other two; bit 31 valid). Of a group's last two bytes twelve bits,
 * chosen by RCTL 12 to 13, are the number of a bit in MTA; a VLAN's number is that of a bit in VFTA.
 */
final class RxFilter {
  private static final int[] HASH_SHIFTS = {4, 3, 2, 0};

  private final RegisterFile registers;

  RxFilter(RegisterFile registers) {
    this.registers = registers;
  }

  /** Puts an address into the first receive address. */
  void setOwn(MacAddress mac) {
    byte[] b = new byte[MacAddress.BYTES];
    mac.put(b, 0);
    int low = b[0] & 0xff | (b[1] & 0xff) << 8 | (b[2] & 0xff) << 16 | b[3] << 24;
    registers.set(Register.RAL, low);
    registers.set(Register.RAH, b[4] & 0xff | (b[5] & 0xff) << 8 | Register.RAH_VALID);
  }

  /** The first receive address. */
  MacAddress own() {
    return address(0);
  }

  private MacAddress address(int index) {
    long low = Integer.toUnsignedLong(Integer.reverseBytes(registers.get(Register.RAL + 8 * index)));
    int high = registers.get(Register.RAH + 8 * index);
    return new MacAddress(low << 16 | (high & 0xff) << 8 | high >>> 8 & 0xff);
  }

  /** Whether the driver wants a frame, which has an Ethernet header. */
  boolean passes(byte[] frame) {
    return passesVlan(frame) && passesAddress(frame);
  }

  private boolean passesVlan(byte[] frame) {
    boolean tagged = type(frame) == registers.get(Register.VET) && frame.length >= 16;
    if (!tagged || !registers.has(Register.RCTL, Register.RCTL_VLAN_FILTER)) {
      return true;
    }
    return isSet(Register.VFTA, (frame[14] & 15) << 8 | frame[15] & 0xff);
  }

  static int type(byte[] frame) {
    return (frame[12] & 0xff) << 8 | frame[13] & 0xff;
  }

  private boolean isSet(int table, int bit) {
    return (registers.get(table + 4 * (bit >> 5)) >>> (bit & 31) & 1) != 0;
  }

  private boolean passesAddress(byte[] frame) {
    MacAddress to = MacAddress.of(frame, 0);
    int rctl = registers.get(Register.RCTL);
    if (to.equals(MacAddress.BROADCAST) && (rctl & Register.RCTL_BROADCAST) != 0) {
      return true;
    }
    if ((rctl & (to.isGroup() ? Register.RCTL_ALL_GROUP : Register.RCTL_ALL_SINGLE)) != 0) {
      return true;
    }
    for (int i = 0; i < Register.RECEIVE_ADDRESSES; i++) {
      if ((registers.get(Register.RAH + 8 * i) & Register.RAH_VALID) != 0 && address(i).equals(to)) {
        return true;
      }
    }
    int tail = frame[4] & 0xff | (frame[5] & 0xff) << 8;
    return to.isGroup() && isSet(Register.MTA, tail >>> HASH_SHIFTS[rctl >>> 12 & 3] & 0xfff);
  }
}
