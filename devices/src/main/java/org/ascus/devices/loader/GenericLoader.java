package org.ascus.devices.loader;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.ascus.machine.bus.AddressSpace;
import org.ascus.machine.cpu.Cpu;
import org.ascus.machine.device.Device;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;

/**
 * {@code -device loader}: writes bytes or a file to guest memory at each reset, and may have a CPU start there. It has
 * no registers (QEMU's "Generic Loader").
 */
public final class GenericLoader extends Device {
  private final AddressSpace memory;
  private final Optional<GuestImage> image;
  private final Optional<Cpu> cpu;
  private final long entry;

  /**
   * @param image what is written; its place has been checked
   * @param cpu whose program counter is set to {@code entry}
   */
  GenericLoader(String id, AddressSpace memory, Optional<GuestImage> image, Optional<Cpu> cpu, long entry) {
    super("loader", id);
    this.memory = memory;
    this.image = image;
    this.cpu = cpu;
    this.entry = entry;
  }

  /** Runs at each reset, after devices and CPUs were reset and the board wrote its own images. */
  void load() {
    image.ifPresent(i -> i.writeTo(memory));
    cpu.ifPresent(c -> c.setRegister("pc", entry));
  }

  @Override
  public Map<String, String> properties() {
    Map<String, String> result = new LinkedHashMap<>();
    image.ifPresent(i -> result.put("addr", "0x" + Long.toHexString(i.start())));
    image.ifPresent(i -> result.put("size", Long.toString(i.end() - i.start())));
    cpu.ifPresent(c -> result.put("cpu-num", Integer.toString(c.index())));
    return result;
  }

  @Override
  public void save(StateWriter out) {}

  @Override
  public void load(StateReader in, int version) {}
}
