package org.ascus.devices.net.e1000e;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;

/** What the registers hold that are memory and no more, and of the others what is worth keeping. */
final class RegisterFile {
  private static final int SIZE = 0xc000;

  /**
   * Registers in a row.
   *
   * @param offset of the first, in bytes
   * @param count how many
   * @param writable bits that the driver may set and clear
   * @param reset what they hold after a reset
   */
  private record Row(int offset, int count, int writable, int reset) {}

  private static final List<Row> ROWS =
      List.of(
          // Full duplex, link set up, 1 Gb/s.
          new Row(Register.CTRL, 1, ~(Register.CTRL_RESET | Register.CTRL_PHY_RESET), 0x0010_0241),
          // The NVM is there and was read.
          new Row(Register.EECD, 1, 0x57, 0x300),
          new Row(Register.EERD, 1, 0, 0),
          new Row(Register.CTRL_EXT, 1, 0x7fff_dfff, 0),
          new Row(0x001c, 1, -1, 0),
          new Row(Register.MDIC, 1, 0, 1 << 28),
          new Row(0x0028, 3, -1, 0),
          new Row(Register.VET, 1, 0xffff, 0x8100),
          new Row(Register.ITR, 1, 0xffff, 0),
          new Row(Register.EIAC, 1, 0x01f0_0000, 0),
          new Row(Register.IAM, 1, -1, 0),
          new Row(Register.IVAR, 1, 0x800f_ffff, 0),
          new Row(Register.EITR, Interrupts.VECTORS, 0xffff, 0),
          new Row(Register.RCTL, 1, -1, 0),
          new Row(0x0170, 1, 0xffff, 0),
          new Row(Register.TCTL, 2, -1, 0),
          new Row(0x0410, 1, -1, 0x0060_2006),
          new Row(0x0458, 1, 0xffff, 0),
          new Row(0x0e00, 1, -1, 0x0706_8302),
          new Row(Register.EXTCNF_CTRL, 1, 0xff, 0),
          new Row(0x0f08, 1, -1, 0),
          new Row(0x0f10, 1, -1, 0),
          // Packet buffer: 20 KiB each way.
          new Row(0x1000, 1, 0xffff, 0x0014_0014),
          new Row(0x1008, 1, -1, 0),
          // The firmware, of which there is none, has done its part.
          new Row(Register.EEMNGCTL, 1, 0, 1 << 18),
          new Row(Register.EEWR, 1, 0, 0),
          new Row(0x103c, 1, -1, 0),
          new Row(0x2160, 1, -1, 0),
          new Row(0x2168, 1, -1, 0),
          new Row(Register.PSRCTL, 1, 0x3f3f_3f7f, 0x0004_0402),
          new Row(Register.RDBAL, 1, ~15, 0),
          new Row(Register.RDBAH, 1, -1, 0),
          new Row(Register.RDLEN, 1, 0xf_ff80, 0),
          new Row(Register.RDH, 1, 0xffff, 0),
          new Row(Register.RDT, 1, 0xffff, 0),
          new Row(0x2820, 1, -1, 0),
          new Row(0x2828, 2, -1, 0x0001_0000),
          new Row(Register.RDBAL + Register.QUEUE_STEP, 1, ~15, 0),
          new Row(Register.RDBAH + Register.QUEUE_STEP, 1, -1, 0),
          new Row(Register.RDLEN + Register.QUEUE_STEP, 1, 0xf_ff80, 0),
          new Row(Register.RDH + Register.QUEUE_STEP, 1, 0xffff, 0),
          new Row(Register.RDT + Register.QUEUE_STEP, 1, 0xffff, 0),
          new Row(0x2928, 1, -1, 0x0001_0000),
          new Row(0x2c00, 1, -1, 0),
          new Row(0x2c08, 1, -1, 0),
          new Row(Register.TDBAL, 1, ~15, 0),
          new Row(Register.TDBAH, 1, -1, 0),
          new Row(Register.TDLEN, 1, 0xf_ff80, 0),
          new Row(Register.TDH, 1, 0xffff, 0),
          new Row(Register.TDT, 1, 0xffff, 0),
          new Row(0x3820, 1, -1, 0),
          new Row(0x3828, 2, -1, 0),
          new Row(0x3840, 1, -1, 0x403),
          new Row(Register.TDBAL + Register.QUEUE_STEP, 1, ~15, 0),
          new Row(Register.TDBAH + Register.QUEUE_STEP, 1, -1, 0),
          new Row(Register.TDLEN + Register.QUEUE_STEP, 1, 0xf_ff80, 0),
          new Row(Register.TDH + Register.QUEUE_STEP, 1, 0xffff, 0),
          new Row(Register.TDT + Register.QUEUE_STEP, 1, 0xffff, 0),
          new Row(0x3928, 1, -1, 0),
          new Row(0x3940, 1, -1, 0x403),
          new Row(Register.RXCSUM, 1, 0xffff, Register.RXCSUM_IP | Register.RXCSUM_TCP_UDP),
          new Row(Register.RFCTL, 1, -1, 0),
          new Row(Register.MTA, 128, -1, 0),
          new Row(Register.RAL, 2 * Register.RECEIVE_ADDRESSES, -1, 0),
          new Row(Register.VFTA, 128, -1, 0),
          new Row(0x5800, 1, -1, 0),
          new Row(0x5808, 1, -1, 0),
          new Row(0x5818, 1, -1, 0),
          new Row(0x5820, 1, -1, 0),
          new Row(0x5838, 1, -1, 0),
          new Row(0x5860, 1, -1, 0),
          new Row(0x5890, 8, -1, 0),
          new Row(0x5b00, 1, -1, 0),
          // The function is active.
          new Row(0x5b30, 1, 0, 1 << 29),
          new Row(Register.SWSM, 1, 0x0b, 0),
          new Row(0x5b5c, 1, -1, 0),
          new Row(0x5b64, 1, -1, 0),
          new Row(0x5c00, 32, -1, 0),
          new Row(0x5c80, 10, -1, 0),
          new Row(0x5f40, 1, 0xffff, 0),
          new Row(Register.TIMINCA, 1, -1, 0),
          // No time stamps are taken, so neither is ever valid.
          new Row(0xb614, 1, 0x10, 0),
          new Row(0xb620, 1, 0x1e, 0),
          new Row(0xb634, 2, -1, 0));

  private final int[] values = new int[SIZE / 4];
  private final int[] writable = new int[SIZE / 4];

  RegisterFile() {
    for (Row row : ROWS) {
      for (int i = 0; i < row.count(); i++) {
        writable[row.offset() / 4 + i] = row.writable();
      }
    }
    reset();
  }

  void reset() {
    java.util.Arrays.fill(values, 0);
    for (Row row : ROWS) {
      for (int i = 0; i < row.count(); i++) {
        values[row.offset() / 4 + i] = row.reset();
      }
    }
  }

  /** What a register holds; 0 for one that does not exist. */
  int get(int offset) {
    return offset < SIZE ? values[offset / 4] : 0;
  }

  boolean has(int offset, int bits) {
    return (get(offset) & bits) != 0;
  }

  /** Changes a register as the card itself. */
  void set(int offset, int value) {
    values[offset / 4] = value;
  }

  /** The driver's write: bits that it may not change stay. */
  void write(int offset, int value) {
    if (offset < SIZE) {
      int mask = writable[offset / 4];
      values[offset / 4] = values[offset / 4] & ~mask | value & mask;
    }
  }

  void save(StateWriter out) {
    ByteBuffer bytes = ByteBuffer.allocate(SIZE).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asIntBuffer().put(values);
    out.putBytes("registers", bytes.array());
  }

  void load(StateReader in) throws StateException {
    byte[] saved = in.getBytes("registers");
    if (saved.length != SIZE) {
      throw new StateException("registers of " + saved.length + " bytes");
    }
    ByteBuffer.wrap(saved).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().get(values);
  }
}
