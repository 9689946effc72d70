package org.ascus.devices.board.riscv;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The first instructions of every hart, position-independent: a0 = hart id, a1 = address of the device tree, a2 =
 * address of OpenSBI's {@code fw_dynamic_info}, then a jump to the start address.
 */
final class BootRom {
  private static final long DYNAMIC_INFO_MAGIC = 0x4942534f;
  private static final long DYNAMIC_INFO_VERSION = 2;
  private static final long NEXT_MODE_SUPERVISOR = 1;

  private BootRom() {}

  /**
   * @param start where the harts go in M mode
   * @param next where firmware goes on in S mode; 0 when it must find out itself
   * @param deviceTree address of the device tree blob
   */
  static byte[] bytes(long start, long next, long deviceTree) {
    ByteBuffer rom = ByteBuffer.allocate(0x58).order(ByteOrder.LITTLE_ENDIAN);
    rom.putInt(0x00000297); // auipc t0, 0
    rom.putInt(0x02828613); // addi a2, t0, 0x28
    rom.putInt(0xf1402573); // csrr a0, mhartid
    rom.putInt(0x0202b583); // ld a1, 0x20(t0)
    rom.putInt(0x0182b283); // ld t0, 0x18(t0)
    rom.putInt(0x00028067); // jr t0
    rom.putLong(start);
    rom.putLong(deviceTree);
    rom.putLong(DYNAMIC_INFO_MAGIC);
    rom.putLong(DYNAMIC_INFO_VERSION);
    rom.putLong(next);
    rom.putLong(NEXT_MODE_SUPERVISOR);
    rom.putLong(0); // options
    rom.putLong(0); // boot hart
    return rom.array();
  }
}
