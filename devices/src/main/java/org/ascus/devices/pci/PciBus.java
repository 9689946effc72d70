package org.ascus.devices.pci;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.locks.ReentrantLock;
import org.ascus.machine.bus.AddressSpace;
import org.ascus.machine.device.DeviceException;

/**
 * A bus of up to 256 functions: 32 slots of 8. All of a host bridge's buses and the configuration spaces of what is
 * plugged in there are guarded by one {@link #lock}, which is taken before the lock of any function.
 */
public final class PciBus {
  private static final int FUNCTIONS = 256;

  /** What a bus hangs on: the host bridge, or a bridge on another bus. */
  interface Upstream {
    ReentrantLock topologyLock();

    /** Where the machine's bus sees [address, address + size), or empty if that does not get here. */
    OptionalLong hostAddress(boolean io, boolean prefetchable, long address, long size);

    /** Pin {@code pin} (0 is INTA#) of slot {@code slot} of the bus gets one assertion more or less. */
    void changeInterrupt(int slot, int pin, boolean asserted);

    AddressSpace memory();

    MsiTarget msi();

    /** A function was plugged in or taken off; the lock of the topology is held. */
    void populationChanged();

    /**
     * Asks the guest to let go of what is plugged in here; the lock of the topology is held.
     *
     * @param taken runs when it has been taken out
     */
    default void eject(Runnable taken) {
      throw new UnsupportedOperationException();
    }

    /** Whether what is plugged in answers. */
    default boolean powered() {
      return true;
    }

    /** Number of the bus as the guest set it; 0 for the root. */
    int busNumber();
  }

  private final String name;
  private final Upstream upstream;
  private final boolean onlySlotZero;
  private final PciFunction[] functions = new PciFunction[FUNCTIONS];

  /**
   * @param name by which {@code -device X,bus=} finds it
   * @param onlySlotZero it is a link rather than a bus
   */
  PciBus(String name, Upstream upstream, boolean onlySlotZero) {
    this.name = name;
    this.upstream = upstream;
    this.onlySlotZero = onlySlotZero;
  }

  public String name() {
    return name;
  }

  public ReentrantLock lock() {
    return upstream.topologyLock();
  }

  /** True below a port: what is plugged in here is a PCI Express endpoint. On the root bus it is integrated. */
  public boolean isLink() {
    return onlySlotZero;
  }

  Upstream upstream() {
    return upstream;
  }

  /** Number of the bus as the guest set it. */
  public int number() {
    return upstream.busNumber();
  }

  /** Slot and function as one number. */
  public static int devfn(int slot, int function) {
    return slot << 3 | function;
  }

  /** The functions in order of slot and function. */
  public List<PciFunction> functions() {
    List<PciFunction> result = new ArrayList<>();
    for (PciFunction function : functions) {
      if (function != null) {
        result.add(function);
      }
    }
    return result;
  }

  Optional<PciFunction> function(int devfn) {
    return Optional.ofNullable(functions[devfn]);
  }

  /**
   * Plugs {@code function} in.
   *
   * @param address as in {@code 06.0} or {@code 06}, hexadecimal; empty for the first free slot
   * @throws DeviceException when that is no address or is taken
   */
  public void plug(PciFunction function, String address) throws DeviceException {
    lock().lock();
    try {
      int devfn = address.isEmpty() ? free(function) : parse(function, address);
      if (functions[devfn] != null) {
        throw new DeviceException(
            "PCI: slot %d function %d not available for %s, in use by %s,id=%s"
                .formatted(devfn >> 3, devfn & 7, function.type(), functions[devfn].type(), functions[devfn].id()));
      }
      if ((devfn & 7) != 0 && functions[devfn & ~7] != null && !functions[devfn & ~7].isMultifunction()) {
        throw new DeviceException(
            "PCI: single function device can't be populated in function %x.%x".formatted(devfn >> 3, devfn & 7));
      }
      functions[devfn] = function;
      function.plugged(this, devfn);
      upstream.populationChanged();
    } finally {
      lock().unlock();
    }
  }

  void unplug(PciFunction function) {
    functions[function.devfn()] = null;
    upstream.populationChanged();
  }

  private int free(PciFunction function) throws DeviceException {
    for (int devfn = 0; devfn < (onlySlotZero ? 1 : FUNCTIONS); devfn += 8) {
      if (functions[devfn] == null) {
        return devfn;
      }
    }
    throw new DeviceException(
        "PCI: no slot/function available for %s, all in use or reserved".formatted(function.type()));
  }

  private int parse(PciFunction function, String address) throws DeviceException {
    if (!address.matches("[0-9a-fA-F]{1,2}(\\.[0-7])?")) {
      throw new DeviceException("Property '" + function.type() + ".addr' doesn't take value '" + address + "'");
    }
    int dot = address.indexOf('.');
    int slot = Integer.parseInt(dot < 0 ? address : address.substring(0, dot), 16);
    if (slot > 31 || onlySlotZero && slot > 0) {
      throw new DeviceException(
          "PCI: slot %d is not available for %s, bus '%s' has %s"
              .formatted(slot, function.type(), name, onlySlotZero ? "slot 0 only" : "32 slots"));
    }
    return devfn(slot, dot < 0 ? 0 : address.charAt(dot + 1) - '0');
  }

  /** The function that a guest calls {@code bus}:{@code devfn}, on this bus or behind its bridges. */
  Optional<PciFunction> find(int bus, int devfn) {
    if (bus == number()) {
      return upstream.powered() ? function(devfn) : Optional.empty();
    }
    for (PciFunction function : functions) {
      if (function instanceof PciBridge bridge && bridge.leadsTo(bus)) {
        return bridge.childBus().find(bus, devfn);
      }
    }
    return Optional.empty();
  }

  /**
   * Asks the guest to let go of what is plugged in, and takes it out then.
   *
   * @param taken runs afterwards, on a thread that must not be kept waiting
   * @throws DeviceException when that is no place to take a device from
   */
  public void eject(Runnable taken) throws DeviceException {
    checkHotPlug();
    lock().lock();
    try {
      upstream.eject(taken);
    } finally {
      lock().unlock();
    }
  }

  /**
   * Checks that devices may come and go while the machine runs.
   *
   * @throws DeviceException when they may not
   */
  public void checkHotPlug() throws DeviceException {
    if (!onlySlotZero) {
      throw new DeviceException("Bus '" + name + "' does not support hotplugging");
    }
  }

  /** Maps BARs anew, after a window above has changed. */
  void remap() {
    for (PciFunction function : functions) {
      if (function != null) {
        function.remap();
      }
    }
  }
}
