package org.ascus.devices.net.e1000e;

import org.ascus.devices.net.MacAddress;

/** Counters of frames and bytes (section 10.2.7), which are cleared when they are read. */
final class Statistics {
  private static final int CRC_BYTES = 4;
  private static final int BY_SIZE = 0x405c;
  private static final int TX_BY_SIZE = 0x40d8;
  private static final int GOOD_RX = 0x4074;
  private static final int BROADCAST_RX = 0x4078;
  private static final int GROUP_RX = 0x407c;
  private static final int GOOD_TX = 0x4080;
  private static final int GOOD_BYTES_RX = 0x4088;
  private static final int GOOD_BYTES_TX = 0x4090;
  private static final int OVERSIZE = 0x40ac;
  private static final int NO_BUFFERS = 0x40a0;
  private static final int BYTES_RX = 0x40c0;
  private static final int BYTES_TX = 0x40c8;
  private static final int FRAMES_RX = 0x40d0;
  private static final int FRAMES_TX = 0x40d4;
  private static final int GROUP_TX = 0x40f0;
  private static final int BROADCAST_TX = 0x40f4;
  private static final int SEGMENTATIONS = 0x40f8;

  /** Sizes with the check sequence, in bytes: up to so many in each counter, and more in the last. */
  private static final int[] SIZES = {64, 127, 255, 511, 1023};

  private final RegisterFile registers;

  Statistics(RegisterFile registers) {
    this.registers = registers;
  }

  private void count(int counter) {
    if (registers.get(counter) != -1) {
      registers.set(counter, registers.get(counter) + 1);
    }
  }

  private void add(int counter, int bytes) {
    long sum = (registers.get(counter) & 0xffff_ffffL | (long) registers.get(counter + 4) << 32) + bytes;
    registers.set(counter, (int) sum);
    registers.set(counter + 4, (int) (sum >>> 32));
  }

  private void countSize(int counters, int bytes) {
    int i = 0;
    while (i < SIZES.length && bytes > SIZES[i]) {
      i++;
    }
    count(counters + 4 * i);
  }

  private void countGroup(byte[] frame, int broadcast, int group) {
    MacAddress to = MacAddress.of(frame, 0);
    if (to.isGroup()) {
      count(to.equals(MacAddress.BROADCAST) ? broadcast : group);
    }
  }

  void received(byte[] frame) {
    int bytes = frame.length + CRC_BYTES;
    count(GOOD_RX);
    count(FRAMES_RX);
    add(GOOD_BYTES_RX, bytes);
    add(BYTES_RX, bytes);
    countSize(BY_SIZE, bytes);
    countGroup(frame, BROADCAST_RX, GROUP_RX);
  }

  /** A frame as it is on the cable, or one that goes to the back end for it to cut. */
  void sent(byte[] frame) {
    int bytes = frame.length + CRC_BYTES;
    count(GOOD_TX);
    count(FRAMES_TX);
    add(GOOD_BYTES_TX, bytes);
    add(BYTES_TX, bytes);
    countSize(TX_BY_SIZE, bytes);
    countGroup(frame, BROADCAST_TX, GROUP_TX);
  }

  void segmented() {
    count(SEGMENTATIONS);
  }

  void tooLong() {
    count(OVERSIZE);
  }

  void noBuffers() {
    count(NO_BUFFERS);
  }

  static boolean isCounter(int offset) {
    return offset >= Register.STATISTICS && offset < Register.STATISTICS_END;
  }

  /** Reads a counter, or half of one, which clears it. */
  int take(int offset) {
    int value = registers.get(offset);
    registers.set(offset, 0);
    return value;
  }
}
