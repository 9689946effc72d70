package org.ascus.devices.net.e1000e;

import java.util.Arrays;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;

/**
 * The PHY behind MDIC (section 10.2.2.7, and 9.1 for its registers; IEEE 802.3, clause 22): 32 registers of 16 bits, of
 * which those above 15 are chosen among by the page in register 22. It negotiates 1 Gb/s, full duplex, in no time.
 *
 * <p>MDIC: bits 0 to 15 data, 16 to 20 register, 21 to 25 PHY address, 26 write, 27 read, 28 ready, 29 interrupt when
 * ready, 30 error.
 */
final class Phy {
  static final int READY = 1 << 28;
  static final int INTERRUPT = 1 << 29;

  private static final int ADDRESS = 1;
  private static final int OPERATION_WRITE = 1;
  private static final int OPERATION_READ = 2;
  private static final int ERROR = 1 << 30;

  private static final int REGISTERS = 32;
  private static final int PAGED = 16;
  private static final int PAGES = 8;

  private static final int CONTROL = 0;
  private static final int CONTROL_RESET = 1 << 15;
  private static final int CONTROL_RESTART = 1 << 9;
  private static final int CONTROL_DEFAULT = 0x1140;
  private static final int STATUS = 1;
  private static final int STATUS_DEFAULT = 0x7949;
  private static final int STATUS_UP = 0x0024;
  private static final int ID_HIGH = 2;
  private static final int ID_LOW = 3;
  private static final int PARTNER = 5;
  private static final int GIGABIT_STATUS = 10;
  private static final int EXTENDED_STATUS = 15;
  private static final int COPPER_STATUS = 17;
  private static final int PAGE_SELECT = 22;

  private final int[] registers = new int[REGISTERS + PAGES * PAGED];

  Phy() {
    reset();
  }

  void reset() {
    Arrays.fill(registers, 0);
    registers[CONTROL] = CONTROL_DEFAULT;
    registers[4] = 0x01e1;
    registers[9] = 0x0e00;
    registers[REGISTERS] = 0x0078;
  }

  private int index(int register) {
    if (register < PAGED || register == PAGE_SELECT) {
      return register;
    }
    int page = registers[PAGE_SELECT];
    return page < PAGES ? REGISTERS + page * PAGED + register - PAGED : -1;
  }

  private int read(int register, boolean up) {
    int at = index(register);
    if (at == REGISTERS + COPPER_STATUS - PAGED) {
      // 1 Gb/s, full duplex, resolved; link.
      return up ? 0xac00 : 0x8000;
    }
    return switch (register) {
      case STATUS -> STATUS_DEFAULT | (up ? STATUS_UP : 0);
      case ID_HIGH -> 0x0141;
      case ID_LOW -> 0x0cb1;
      case PARTNER -> up ? 0x45e1 : 0;
      case GIGABIT_STATUS -> up ? 0x3c00 : 0;
      case EXTENDED_STATUS -> 0x3000;
      default -> at < 0 ? 0 : registers[at];
    };
  }

  /**
   * Does what the driver writes to MDIC.
   *
   * @param up whether the cable has a link
   * @return what MDIC holds then
   */
  int command(int mdic, boolean up) {
    int register = mdic >>> 16 & 31;
    int operation = mdic >>> 26 & 3;
    boolean mine = (mdic >>> 21 & 31) == ADDRESS;
    if (!mine || operation != OPERATION_READ && operation != OPERATION_WRITE) {
      return mdic | READY | ERROR;
    }
    if (operation == OPERATION_READ) {
      return mdic & ~0xffff & ~ERROR | read(register, up) | READY;
    }
    int at = index(register);
    if (at >= 0) {
      registers[at] = mdic & 0xffff;
    }
    if (register == CONTROL) {
      if ((mdic & CONTROL_RESET) != 0) {
        reset();
      }
      registers[CONTROL] &= ~(CONTROL_RESET | CONTROL_RESTART);
    }
    return mdic & ~ERROR | READY;
  }

  /** Whether a command has the PHY negotiate anew. */
  static boolean restarts(int mdic) {
    boolean write = (mdic >>> 26 & 3) == OPERATION_WRITE && (mdic >>> 16 & 31) == CONTROL;
    return write && (mdic & (CONTROL_RESET | CONTROL_RESTART)) != 0;
  }

  void save(StateWriter out) {
    out.putInts("phy", registers);
  }

  void load(StateReader in) throws StateException {
    long[] saved = in.getLongs("phy", registers.length);
    for (int i = 0; i < saved.length; i++) {
      registers[i] = (int) saved[i] & 0xffff;
    }
  }
}
