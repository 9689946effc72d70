package org.ascus.devices.pci;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.ascus.machine.bus.AddressSpace;
import org.ascus.machine.device.Device;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;

/**
 * A PCI function: a configuration space, and regions that move with its base address registers.
 *
 * <p>Contract: the configuration space is guarded by the {@linkplain PciBus#lock lock of the topology}, which is taken
 * before the function's own lock; the latter guards the registers behind the BARs. {@link #setInterrupt} may be called
 * with any of them held.
 */
public abstract class PciFunction extends Device {
  private static final int REGISTER_END = 0x28;

  private final PciConfig config;
  private final List<PciBar> bars = new ArrayList<>();
  private final Map<PciBar, Long> mapped = new HashMap<>();
  private final Object interruptMonitor = new Object();
  private PciBus bus;
  private int devfn;
  private boolean multifunction;
  private volatile boolean master;
  private volatile boolean interrupt;
  private boolean interruptsOff;
  private boolean asserted;

  protected PciFunction(String type, String id, PciConfig config) {
    super(type, id);
    this.config = config;
  }

  public final PciConfig config() {
    return config;
  }

  /** Slot and function on its bus, see {@link PciBus#devfn}. */
  public final int devfn() {
    return devfn;
  }

  /** The bus it is plugged into. */
  public final PciBus bus() {
    return bus;
  }

  /** The base address registers in order of declaration. */
  public final List<PciBar> bars() {
    return List.copyOf(bars);
  }

  /** More functions may be plugged into its slot; to be said before it is plugged in itself. */
  public final void setMultifunction() {
    multifunction = true;
    config.setMultifunction();
  }

  final boolean isMultifunction() {
    return multifunction;
  }

  /** Declares a base address register. */
  protected final void addBar(PciBar bar) {
    long mask = -bar.region().size();
    bars.add(bar);
    config.init(bar.register(), 4, bar.kind().flags());
    config.setWritable(bar.register(), 4, mask & ~bar.kind().flagMask());
    if (bar.kind() == PciBar.Kind.MEMORY64_PREFETCHABLE) {
      config.setWritable(bar.register() + 4, 4, mask >> 32);
    }
  }

  /** Declares that the function interrupts by INTA#. */
  protected final void useInterruptPin() {
    config.init(PciConfig.INTERRUPT_PIN, 1, 1);
  }

  void plugged(PciBus where, int number) {
    bus = where;
    devfn = number;
  }

  /** The function may reach memory and send messages. */
  public final boolean isMaster() {
    return master;
  }

  /** Takes the message-signalled interrupts of the function. */
  protected final void sendMessage(long address, int data) {
    if (master) {
      bus.upstream().msi().message(address, data);
    }
  }

  /** Drives the function's interrupt pin. */
  protected final void setInterrupt(boolean level) {
    synchronized (interruptMonitor) {
      interrupt = level;
      driveInterrupt();
    }
  }

  private void driveInterrupt() {
    boolean now = interrupt && !interruptsOff;
    if (now != asserted && bus != null) {
      asserted = now;
      bus.upstream().changeInterrupt(devfn >> 3, (int) config.get(PciConfig.INTERRUPT_PIN, 1) - 1, now);
    }
  }

  /** Reads {@code width} bytes of the configuration space; all ones outside of it. */
  final long readConfig(int offset, int width) {
    if (offset + width > config.size()) {
      return (1L << (8 * width)) - 1;
    }
    configRead(offset, width);
    long value = config.get(offset, width);
    int shift = 8 * (PciConfig.STATUS - offset);
    if (interrupt && shift >= 0 && shift < 8 * width) {
      value |= (long) PciConfig.STATUS_INTERRUPT << shift;
    }
    return value;
  }

  final void writeConfig(int offset, int width, long value) {
    config.write(offset, width, value);
    if (offset < REGISTER_END && offset + width > PciConfig.COMMAND) {
      applyCommand();
      remap();
    }
    configWritten(offset, width);
  }

  private void applyCommand() {
    int command = (int) config.get(PciConfig.COMMAND, 2);
    master = (command & PciConfig.COMMAND_MASTER) != 0;
    synchronized (interruptMonitor) {
      interruptsOff = (command & PciConfig.COMMAND_INTX_DISABLE) != 0;
      driveInterrupt();
    }
  }

  /** A guest is about to read these bytes; the lock of the topology is held. */
  protected void configRead(int offset, int width) {}

  /** A guest wrote these bytes; the lock of the topology is held. */
  protected void configWritten(int offset, int width) {}

  /** The configuration space is one that was saved, or reset; the lock of the topology is held. */
  protected void configReplaced() {}

  /** Has each BAR's region answer where the guest put it, if that is decoded at all. */
  void remap() {
    if (bus == null) {
      return;
    }
    AddressSpace memory = bus.upstream().memory();
    for (PciBar bar : bars) {
      OptionalLong now = hostAddress(bar);
      Long old = mapped.get(bar);
      if (old != null && (now.isEmpty() || now.getAsLong() != old)) {
        memory.unmap(bar.region());
        mapped.remove(bar);
        old = null;
      }
      if (old == null && now.isPresent()) {
        memory.map(now.getAsLong(), bar.region());
        mapped.put(bar, now.getAsLong());
      }
    }
  }

  private OptionalLong hostAddress(PciBar bar) {
    OptionalLong address = address(bar);
    return address.isEmpty()
        ? address
        : bus.upstream()
            .hostAddress(
                bar.kind() == PciBar.Kind.IO,
                bar.kind() == PciBar.Kind.MEMORY64_PREFETCHABLE,
                address.getAsLong(),
                bar.region().size());
  }

  /** Where the guest put a BAR, as an address on the PCI bus; empty if the function does not decode it now. */
  public final OptionalLong address(PciBar bar) {
    boolean io = bar.kind() == PciBar.Kind.IO;
    int enable = io ? PciConfig.COMMAND_IO : PciConfig.COMMAND_MEMORY;
    if ((config.get(PciConfig.COMMAND, 2) & enable) == 0) {
      return OptionalLong.empty();
    }
    boolean wide = bar.kind() == PciBar.Kind.MEMORY64_PREFETCHABLE;
    long address = config.get(bar.register(), wide ? 8 : 4) & ~bar.kind().flagMask();
    return address == 0 ? OptionalLong.empty() : OptionalLong.of(address);
  }

  private void unmapAll() {
    mapped.keySet().forEach(bar -> bus.upstream().memory().unmap(bar.region()));
    mapped.clear();
  }

  /** Takes the function off its bus; the guest sees it no more. */
  public void unplug() {
    bus.lock().lock();
    try {
      setInterrupt(false);
      unmapAll();
      bus.unplug(this);
    } finally {
      bus.lock().unlock();
    }
  }

  /** Configuration space and interrupt pin as after power-on. */
  protected final void resetFunction() {
    bus.lock().lock();
    try {
      config.reset();
      setInterrupt(false);
      applyCommand();
      unmapAll();
      configReplaced();
    } finally {
      bus.lock().unlock();
    }
  }

  @Override
  public void resetEnter() {
    resetFunction();
  }

  @Override
  public final void save(StateWriter out) {
    out.putBytes("config", config.toByteArray());
    out.putBoolean("interrupt", interrupt);
    saveFunction(out);
  }

  /** Writes what the function adds to its configuration space. */
  protected void saveFunction(StateWriter out) {}

  @Override
  public final void load(StateReader in, int version) throws StateException {
    bus.lock().lock();
    try {
      config.load(id(), in.getBytes("config"));
      boolean level = in.getBoolean("interrupt");
      loadFunction(in, version);
      applyCommand();
      setInterrupt(level);
      remap();
      configReplaced();
    } finally {
      bus.lock().unlock();
    }
  }

  /** Reads what {@link #saveFunction} wrote. */
  protected void loadFunction(StateReader in, int version) throws StateException {}
}
