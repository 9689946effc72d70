package org.ascus.isa.riscv;

import org.ascus.isa.cpu.Slots;
import org.ascus.machine.bus.host.HostMemory;

/** LR, SC and AMOs of a hart (unprivileged specification, chapter "A"), as atomic operations of the host. */
final class Atomics {
  private final RiscvHart hart;

  Atomics(RiscvHart hart) {
    this.hart = hart;
    forgetReservation();
  }

  void forgetReservation() {
    hart.regs[Slots.RESERVATION] = -1;
  }

  long loadReserved(long va, int width) {
    long host = hart.atomicAddress(va, width, false);
    if (host == 0) {
      return 0;
    }
    HostMemory.fullFence();
    long value = width == 4 ? HostMemory.getInt(host) : HostMemory.getLong(host);
    hart.regs[Slots.RESERVED_VALUE] = value;
    hart.regs[Slots.RESERVATION] = host;
    HostMemory.fullFence();
    return value;
  }

  /** Returns 0 when the store was made, 1 when the reservation was lost. */
  long storeConditional(long va, int width, long value) {
    long host = hart.atomicAddress(va, width, true);
    if (host == 0) {
      return 0;
    }
    long reservedValue = hart.regs[Slots.RESERVED_VALUE];
    boolean done =
        hart.regs[Slots.RESERVATION] == host
            && (width == 4
                ? HostMemory.compareAndSetInt(host, (int) reservedValue, (int) value)
                : HostMemory.compareAndSetLong(host, reservedValue, value));
    forgetReservation();
    hart.atomicWritten(width);
    return done ? 0 : 1;
  }

  /** An AMO; {@code operation} as numbered by {@link Amo}. Returns the old value, sign-extended. */
  long amo(int operation, long va, int width, long operand) {
    long host = hart.atomicAddress(va, width, true);
    if (host == 0) {
      return 0;
    }
    while (true) {
      if (width == 4) {
        int old = HostMemory.getInt(host);
        if (HostMemory.compareAndSetInt(host, old, Amo.apply32(operation, old, (int) operand))) {
          hart.atomicWritten(4);
          return old;
        }
      } else {
        long old = HostMemory.getLong(host);
        if (HostMemory.compareAndSetLong(host, old, Amo.apply64(operation, old, operand))) {
          hart.atomicWritten(8);
          return old;
        }
      }
    }
  }
}
