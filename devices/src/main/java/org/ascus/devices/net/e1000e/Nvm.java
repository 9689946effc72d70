package org.ascus.devices.net.e1000e;

import org.ascus.devices.net.MacAddress;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;

/**
 * The NVM, 64 words of 16 bits (section 6.1): 0 to 2 the Ethernet address, low byte first, 3 compatibility, 4 LEDs, 8
 * and 9 the board's number, 0x0a to 0x0f initialisation and PCI ids, 0x3f the checksum, which makes the sum of all
 * 0xbaba. EERD and EEWR (sections 10.2.2.4 and 10.2.3.12): bit 0 start, 1 done, 2 to 15 address, 16 to 31 data.
 *
 * <p>What a driver writes lasts until the machine is reset.
 */
final class Nvm {
  private static final int WORDS = 64;
  private static final int CHECKSUM = 0x3f;
  private static final int SUM = 0xbaba;
  private static final int START = 1;
  private static final int DONE = 2;

  private final int[] words = new int[WORDS];

  Nvm(MacAddress mac) {
    reset(mac);
  }

  /** As it was delivered. */
  void reset(MacAddress mac) {
    java.util.Arrays.fill(words, 0);
    byte[] address = new byte[MacAddress.BYTES];
    mac.put(address, 0);
    for (int i = 0; i < 3; i++) {
      words[i] = address[2 * i] & 0xff | (address[2 * i + 1] & 0xff) << 8;
    }
    words[0x03] = 0x0400;
    words[0x04] = 0x8911;
    words[0x08] = 0xe000;
    words[0x0a] = 0x4000;
    words[0x0b] = E1000e.SUBSYSTEM;
    words[0x0c] = E1000e.VENDOR;
    words[0x0d] = E1000e.DEVICE;
    words[0x0e] = E1000e.VENDOR;
    int sum = 0;
    for (int i = 0; i < CHECKSUM; i++) {
      sum += words[i];
    }
    words[CHECKSUM] = SUM - sum & 0xffff;
  }

  /** The Ethernet address. */
  MacAddress mac() {
    byte[] address = new byte[MacAddress.BYTES];
    for (int i = 0; i < 3; i++) {
      address[2 * i] = (byte) words[i];
      address[2 * i + 1] = (byte) (words[i] >> 8);
    }
    return MacAddress.of(address, 0);
  }

  /** What EERD holds after {@code command} was written to it. */
  int read(int command) {
    int at = command >>> 2 & 0x3fff;
    if ((command & START) == 0) {
      return command & 0xffff;
    }
    return at << 2 | DONE | (at < WORDS ? words[at] << 16 : 0);
  }

  /** What EEWR holds after {@code command} was written to it. */
  int write(int command) {
    int at = command >>> 2 & 0x3fff;
    if ((command & START) != 0 && at < WORDS) {
      words[at] = command >>> 16;
    }
    return command & ~START | DONE;
  }

  void save(StateWriter out) {
    out.putInts("nvm", words);
  }

  void load(StateReader in) throws StateException {
    long[] saved = in.getLongs("nvm", WORDS);
    for (int i = 0; i < WORDS; i++) {
      words[i] = (int) saved[i] & 0xffff;
    }
  }
}
