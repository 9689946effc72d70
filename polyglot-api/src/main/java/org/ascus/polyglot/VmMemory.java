package org.ascus.polyglot;

import org.ascus.machine.bus.AddressSpace;
import org.ascus.machine.bus.BusFault;

/**
 * Physical memory as CPUs see it, devices included. May be used while the machine runs, until it is closed: from then
 * on each method throws {@link IllegalStateException}.
 */
public final class VmMemory {
  private final Vm vm;

  VmMemory(Vm vm) {
    this.vm = vm;
  }

  private AddressSpace memory() {
    vm.checkOpen();
    return vm.machine().memory();
  }

  /**
   * Reads a value, little-endian, zero-extended.
   *
   * @param width 1, 2, 4 or 8 bytes
   * @throws VmException when nothing is at the address
   */
  public long read(long address, int width) throws VmException {
    try {
      return memory().read(address, width);
    } catch (BusFault e) {
      throw fault(address, e);
    }
  }

  /**
   * Writes the low {@code width} (1, 2, 4 or 8) bytes of {@code value}, little-endian.
   *
   * @throws VmException when nothing is at the address
   */
  public void write(long address, int width, long value) throws VmException {
    try {
      memory().write(address, width, value);
    } catch (BusFault e) {
      throw fault(address, e);
    }
  }

  /**
   * Reads {@code length} bytes.
   *
   * @throws VmException when nothing is at one of the addresses
   */
  public byte[] readBytes(long address, int length) throws VmException {
    byte[] data = new byte[length];
    try {
      memory().read(address, data, 0, length);
    } catch (BusFault e) {
      throw fault(address, e);
    }
    return data;
  }

  /**
   * Writes all of {@code data}; ROM stays as it is.
   *
   * @throws VmException when nothing is at one of the addresses
   */
  public void writeBytes(long address, byte[] data) throws VmException {
    try {
      memory().write(address, data, 0, data.length);
    } catch (BusFault e) {
      throw fault(address, e);
    }
  }

  private static VmException fault(long address, BusFault e) {
    return new VmException("0x" + Long.toHexString(address) + ": " + e.getMessage(), e);
  }
}
