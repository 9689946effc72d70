package org.ascus.devices.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.ascus.devices.Wire;
import org.ascus.machine.bus.BusDevice;
import org.ascus.machine.bus.BusFault;
import org.ascus.machine.bus.MmioRegion;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.run.Machine;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;
import org.ascus.machine.trace.Log;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PciHostTest {
  private static final long ECAM = 0x3000_0000L;
  private static final long PIO = 0x300_0000L;
  private static final long MMIO = 0x4000_0000L;
  private static final long HIGH = 0x4_0000_0000L;
  private static final int BRIDGE = 2;

  private final Machine machine = new Machine(Log.off());
  private final List<Wire> wires = Stream.generate(Wire::new).limit(4).toList();
  private final List<String> messages = new ArrayList<>();
  private PciHost host;

  PciHostTest() throws DeviceException {
    host = newHost(machine);
  }

  private PciHost newHost(Machine m) throws DeviceException {
    PciHost made =
        new PciHost(
            "pcie.0",
            m.memory(),
            new PciHost.Window(PIO, 0, 0x1_0000),
            List.of(new PciHost.Window(MMIO, MMIO, 0x4000_0000), new PciHost.Window(HIGH, HIGH, 16L << 30)),
            List.copyOf(wires),
            (address, data) -> messages.add(Long.toHexString(address) + ":" + data));
    m.memory().map(ECAM, made.region());
    return made;
  }

  @AfterEach
  void close() {
    machine.close();
  }

  /** Answers with its marker, plus what was last written. */
  private static final class Sample extends PciFunction {
    private long last;
    private final MsiX messages;

    Sample(String id) {
      super("sample", id, new PciConfig(256, 0, new PciIdentity(0x1234, 0x5678, 1, 0xff0000, 0xaaaa, 0xbbbb)));
      addBar(new PciBar(0, PciBar.Kind.IO, region(0x100, 32)));
      addBar(new PciBar(1, PciBar.Kind.MEMORY32, region(0x200, 0x1000)));
      addBar(new PciBar(4, PciBar.Kind.MEMORY64_PREFETCHABLE, region(0x400, 0x4000)));
      messages = new MsiX(config(), 3, 2, this::sendMessage);
      addBar(new PciBar(2, PciBar.Kind.MEMORY32, new MmioRegion("msix", MsiX.REGION_SIZE, messages, lock())));
      useInterruptPin();
    }

    private MmioRegion region(long marker, long size) {
      BusDevice device =
          new BusDevice() {
            @Override
            public long read(long offset, int width) {
              return marker + offset + last;
            }

            @Override
            public void write(long offset, int width, long value) {
              last = value;
            }
          };
      return new MmioRegion("bar", size, device, lock());
    }

    void interrupt(boolean level) {
      setInterrupt(level);
    }

    @Override
    protected void configWritten(int offset, int width) {
      messages.configChanged();
    }

    @Override
    public void resetEnter() {
      messages.reset();
      super.resetEnter();
    }

    @Override
    protected void saveFunction(StateWriter out) {
      messages.save(out);
    }

    @Override
    protected void loadFunction(StateReader in, int version) throws org.ascus.machine.state.StateException {
      messages.load(in);
    }

    @Override
    protected void configReplaced() {
      messages.configChanged();
    }
  }

  private static long config(int bus, int slot, int register) {
    return ECAM + ((long) bus << 20) + ((long) slot << 15) + register;
  }

  private long get(long address, int width) {
    try {
      return machine.memory().read(address, width);
    } catch (BusFault e) {
      throw new AssertionError("0x" + Long.toHexString(address), e);
    }
  }

  private void put(long address, int width, long value) {
    try {
      machine.memory().write(address, width, value);
    } catch (BusFault e) {
      throw new AssertionError("0x" + Long.toHexString(address), e);
    }
  }

  private Sample plugged(int slot) throws DeviceException {
    Sample sample = new Sample("s" + slot);
    host.childBus().plug(sample, Integer.toHexString(slot));
    return sample;
  }

  @Test
  void theBridgeShowsItselfAndEmptySlotsReadAsOnes() {
    assertThat(get(config(0, 0, 0), 4)).isEqualTo(0x00081b36);
    assertThat(get(config(0, 0, 8), 4)).isEqualTo(0x06000000);
    assertThat(get(config(0, 0, 0x2c), 4)).isEqualTo(0x11001af4);
    assertThat(get(config(0, 1, 0), 4)).isEqualTo(0xffffffffL);
    assertThat(get(config(0, 1, 0), 2)).isEqualTo(0xffff);
    assertThat(get(config(7, 0, 0), 4)).isEqualTo(0xffffffffL);
    assertThat(get(config(0, 0, 0x100), 4)).as("beyond a conventional space").isEqualTo(0xffffffffL);
    put(config(9, 3, 0), 4, 1);
    assertThat(get(MMIO + 0x100, 4)).as("nobody there").isEqualTo(0xffffffffL);
    assertThat(get(PIO + 0x100, 1)).isEqualTo(0xff);
  }

  @Test
  void barsTellTheirSizeAndMoveTheirRegions() throws Exception {
    plugged(1);
    put(config(0, 1, 0x14), 4, 0xffffffffL);
    assertThat(get(config(0, 1, 0x14), 4)).isEqualTo(0xfffff000L);
    put(config(0, 1, 0x10), 4, 0xffffffffL);
    assertThat(get(config(0, 1, 0x10), 4)).isEqualTo(0xffffffe1L);
    put(config(0, 1, 0x20), 8, -1);
    assertThat(get(config(0, 1, 0x20), 8)).isEqualTo(0xffffffffffffc00cL);
    put(config(0, 1, 0x14), 4, MMIO + 0x5000);
    put(config(0, 1, 0x10), 4, 0x1000);
    put(config(0, 1, 0x20), 4, HIGH + 0x8000);
    put(config(0, 1, 0x24), 4, HIGH + 0x8000 >> 32);
    assertThat(get(MMIO + 0x5000, 4)).as("not enabled").isEqualTo(0xffffffffL);
    put(config(0, 1, 4), 2, PciConfig.COMMAND_MEMORY);
    assertThat(get(MMIO + 0x5008, 4)).isEqualTo(0x208);
    assertThat(get(HIGH + 0x8010, 4)).isEqualTo(0x410);
    assertThat(get(PIO + 0x1004, 4)).isEqualTo(0xffffffffL);
    put(config(0, 1, 4), 2, PciConfig.COMMAND_IO | PciConfig.COMMAND_MEMORY);
    assertThat(get(PIO + 0x1004, 4)).isEqualTo(0x104);
    put(config(0, 1, 0x14), 4, MMIO + 0x9000);
    assertThat(get(MMIO + 0x5008, 4)).isEqualTo(0xffffffffL);
    assertThat(get(MMIO + 0x9008, 4)).isEqualTo(0x208);
    put(config(0, 1, 0x14), 4, 0x8000_0000L);
    assertThat(get(MMIO + 0x9008, 4)).as("outside of all windows").isEqualTo(0xffffffffL);
    put(config(0, 1, 4), 2, 0);
    assertThat(get(HIGH + 0x8010, 4)).isEqualTo(0xffffffffL);
  }

  @Test
  void readOnlyBitsStay() throws Exception {
    plugged(1);
    for (int at = 0; at < 256; at += 4) {
      if (at < 0x10 || at >= 0x28) {
        put(config(0, 1, at), 4, 0xffffffffL);
      }
    }
    assertThat(get(config(0, 1, 0), 4)).isEqualTo(0x56781234);
    assertThat(get(config(0, 1, 4), 4)).isEqualTo(0x00100547);
    assertThat(get(config(0, 1, 0x2c), 4)).isEqualTo(0xbbbbaaaaL);
    assertThat(get(config(0, 1, 0x3c), 2)).isEqualTo(0x01ff);
    assertThat(get(config(0, 1, 0x34), 1)).isEqualTo(0x40);
    assertThat(get(config(0, 1, 0x40), 4)).as("MSI-X").isEqualTo(0xc002_0011L);
  }

  @Test
  void pinsAreRoutedBySlotAndShared() throws Exception {
    Sample one = plugged(1);
    Sample five = plugged(5);
    Sample two = plugged(2);
    one.interrupt(true);
    assertThat(wires.get(1).isHigh()).isTrue();
    assertThat(get(config(0, 1, 6), 2) & 8).isEqualTo(8);
    five.interrupt(true);
    one.interrupt(false);
    assertThat(wires.get(1).isHigh()).isTrue();
    put(config(0, 5, 4), 2, PciConfig.COMMAND_INTX_DISABLE);
    assertThat(wires.get(1).isHigh()).isFalse();
    assertThat(get(config(0, 5, 4), 4) >>> 16 & 8).as("pending while disabled").isEqualTo(8);
    put(config(0, 5, 4), 2, 0);
    assertThat(wires.get(1).isHigh()).isTrue();
    two.interrupt(true);
    assertThat(wires.get(2).isHigh()).isTrue();
    five.resetEnter();
    assertThat(wires.get(1).isHigh()).isFalse();
  }

  @Test
  void messagesWaitWhileMaskedAndNeedABusMaster() throws Exception {
    Sample sample = plugged(1);
    put(config(0, 1, 0x18), 4, MMIO);
    put(config(0, 1, 4), 2, PciConfig.COMMAND_MEMORY | PciConfig.COMMAND_MASTER);
    put(MMIO + 16, 8, 0x2800_0000L);
    put(MMIO + 24, 4, 77);
    sample.messages.raise(1);
    assertThat(messages).as("not enabled").isEmpty();
    put(config(0, 1, 0x42), 2, 0x8000);
    sample.messages.raise(1);
    assertThat(messages).as("vector masked").isEmpty();
    assertThat(get(MMIO + 0x800, 8)).isEqualTo(2);
    put(MMIO + 28, 4, 0);
    assertThat(messages).containsExactly("28000000:77");
    assertThat(get(MMIO + 0x800, 8)).isZero();
    put(config(0, 1, 0x42), 2, 0xc000);
    sample.messages.raise(1);
    assertThat(messages).hasSize(1);
    put(config(0, 1, 0x42), 2, 0x8000);
    assertThat(messages).hasSize(2);
    put(config(0, 1, 4), 2, PciConfig.COMMAND_MEMORY);
    sample.messages.raise(1);
    sample.messages.raise(3);
    sample.messages.raise(MsiX.NONE);
    assertThat(messages).hasSize(2);
  }

  private PcieRootPort port(String address) throws DeviceException {
    PcieRootPort port = new PcieRootPort("rp", 0, 0, 1);
    host.childBus().plug(port, address);
    return port;
  }

  private void openBridge() {
    put(config(0, BRIDGE, 0x18), 4, 0x00030100);
    put(config(0, BRIDGE, 0x20), 4, 0x40104010);
    put(config(0, BRIDGE, 0x1c), 2, 0x2010);
    put(config(0, BRIDGE, 4), 2, 7);
  }

  @Test
  void aBridgeForwardsWhatItsWindowsHold() throws Exception {
    PcieRootPort port = port("2");
    Sample below = new Sample("below");
    port.childBus().plug(below, "");
    port.resetEnter();
    assertThat(get(config(1, 0, 0), 4)).isEqualTo(0xffffffffL);
    openBridge();
    assertThat(get(config(1, 0, 0), 4)).isEqualTo(0x56781234);
    assertThat(get(config(1, 1, 0), 4)).isEqualTo(0xffffffffL);
    put(config(1, 0, 0x14), 4, 0x4010_3000L);
    put(config(1, 0, 0x10), 4, 0x1100);
    put(config(1, 0, 4), 2, 7);
    assertThat(get(0x4010_3004L, 4)).isEqualTo(0x204);
    assertThat(get(PIO + 0x1104, 4)).isEqualTo(0x104);
    put(config(0, BRIDGE, 0x20), 4, 0x40204020);
    assertThat(get(0x4010_3004L, 4)).as("window moved away").isEqualTo(0xffffffffL);
    put(config(0, BRIDGE, 0x20), 4, 0x40204010);
    assertThat(get(0x4010_3004L, 4)).isEqualTo(0x204);
    put(config(0, BRIDGE, 4), 2, 1);
    assertThat(get(0x4010_3004L, 4)).as("bridge closed").isEqualTo(0xffffffffL);
    put(config(0, BRIDGE, 4), 2, 7);
    below.interrupt(true);
    assertThat(wires.get(2).isHigh()).as("INTA# through slot 2").isTrue();
    put(config(0, BRIDGE, 0x3e), 2, 1 << 6);
    assertThat(wires.get(2).isHigh()).as("secondary bus reset").isFalse();
    assertThat(get(config(1, 0, 4), 2)).isZero();
    assertThat(get(0x4010_3004L, 4)).isEqualTo(0xffffffffL);
  }

  @Test
  void whatIsSavedIsMappedAgainAfterALoad() throws Exception {
    PcieRootPort port = port("2");
    Sample below = new Sample("below");
    port.childBus().plug(below, "");
    port.resetEnter();
    openBridge();
    put(config(1, 0, 0x14), 4, 0x4010_3000L);
    put(config(1, 0, 4), 2, 7);
    below.interrupt(true);
    StateWriter out = new StateWriter();
    out.section(port);
    out.section(below);
    machine.memory().unmap(host.region());
    port.resetEnter();
    below.resetEnter();
    assertThat(wires.get(2).isHigh()).isFalse();
    machine.memory().map(ECAM, host.region());
    StateReader in = new StateReader(out.toByteArray());
    in.section(port);
    in.section(below);
    assertThat(get(0x4010_3004L, 4)).isEqualTo(0x204);
    assertThat(wires.get(2).isHigh()).isTrue();
    StateWriter again = new StateWriter();
    again.section(port);
    again.section(below);
    assertThat(again.toByteArray()).isEqualTo(out.toByteArray());
  }

  private static final int SLOT_CONTROL = 0x18;
  private static final int SLOT_STATUS = 0x1a;

  private long express() {
    long at = get(config(0, BRIDGE, 0x34), 1);
    while (get(config(0, BRIDGE, (int) at), 1) != 0x10) {
      at = get(config(0, BRIDGE, (int) at + 1), 1);
    }
    return config(0, BRIDGE, (int) at);
  }

  @Test
  void aDevicePluggedInIsAnnouncedAndLeavesWhenTheGuestLetsGo() throws Exception {
    PcieRootPort port = port("2");
    port.resetEnter();
    openBridge();
    long slot = express();
    assertThat(get(slot + SLOT_STATUS, 2)).isZero();
    assertThat(get(slot + SLOT_CONTROL, 2)).isEqualTo(0x7c0);
    put(slot + SLOT_CONTROL, 2, 0x7c0 | 0x1039);
    assertThat(get(slot + SLOT_STATUS, 2)).as("command completed").isEqualTo(0x10);
    assertThat(wires.get(2).isHigh()).isTrue();
    put(slot + SLOT_STATUS, 2, 0x10);
    assertThat(wires.get(2).isHigh()).isFalse();
    Sample below = new Sample("below");
    port.childBus().plug(below, "");
    assertThat(get(slot + SLOT_STATUS, 2)).as("button, presence changed, present, link").isEqualTo(0x149);
    assertThat(wires.get(2).isHigh()).isTrue();
    assertThat(get(config(1, 0, 0), 4)).as("without power").isEqualTo(0xffffffffL);
    put(slot + SLOT_CONTROL, 2, 0x1f9);
    put(slot + SLOT_STATUS, 2, 0x11f);
    assertThat(wires.get(2).isHigh()).isFalse();
    assertThat(get(config(1, 0, 0), 4)).isEqualTo(0x56781234);
    List<String> taken = new ArrayList<>();
    port.childBus().eject(() -> taken.add("below"));
    assertThat(get(slot + SLOT_STATUS, 2)).isEqualTo(0x41);
    assertThat(wires.get(2).isHigh()).isTrue();
    assertThat(taken).isEmpty();
    put(slot + SLOT_CONTROL, 2, 0x7f9);
    assertThat(taken).containsExactly("below");
    assertThat(get(config(1, 0, 0), 4)).isEqualTo(0xffffffffL);
    assertThat(get(slot + SLOT_STATUS, 2) & 0x40).isZero();
    assertThatThrownBy(() -> host.childBus().eject(() -> {})).hasMessageContaining("pcie.0");
  }

  @Test
  void slotsAreGivenOutAndConflictsNamed() throws Exception {
    Sample first = new Sample("a");
    host.childBus().plug(first, "");
    assertThat(first.devfn()).isEqualTo(PciBus.devfn(1, 0));
    assertThatThrownBy(() -> host.childBus().plug(new Sample("b"), "1"))
        .isInstanceOf(DeviceException.class)
        .hasMessage("PCI: slot 1 function 0 not available for sample, in use by sample,id=a");
    assertThatThrownBy(() -> host.childBus().plug(new Sample("b"), "1.2")).hasMessageContaining("single function");
    assertThatThrownBy(() -> host.childBus().plug(new Sample("b"), "20")).hasMessageContaining("slot 32");
    assertThatThrownBy(() -> host.childBus().plug(new Sample("b"), "x")).hasMessageContaining("'x'");
    Sample many = new Sample("m");
    many.setMultifunction();
    host.childBus().plug(many, "1f");
    host.childBus().plug(new Sample("n"), "1f.7");
    assertThat(get(config(0, 31, 0x0e), 1)).isEqualTo(0x80);
    assertThat(get(config(0, 31, 0x7000), 4)).isEqualTo(0x56781234);
    PcieRootPort port = port("5");
    port.childBus().plug(new Sample("x"), "0");
    assertThatThrownBy(() -> port.childBus().plug(new Sample("y"), "1")).hasMessageContaining("slot 0 only");
    assertThatThrownBy(() -> port.childBus().plug(new Sample("y"), "")).hasMessageContaining("all in use");
    first.unplug();
    assertThat(get(config(0, 1, 0), 4)).isEqualTo(0xffffffffL);
  }
}
