package org.ascus.devices.virtio.transport.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.ascus.devices.Wire;
import org.ascus.devices.pci.PciHost;
import org.ascus.devices.pci.PcieRootPort;
import org.ascus.devices.virtio.VirtioFeatures;
import org.ascus.devices.virtio.VirtioHost;
import org.ascus.devices.virtio.VirtioStatus;
import org.ascus.devices.virtio.rng.VirtioRng;
import org.ascus.machine.bus.BusFault;
import org.ascus.machine.bus.GuestRam;
import org.ascus.machine.bus.RamRegion;
import org.ascus.machine.device.Device;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.run.Machine;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;
import org.ascus.machine.trace.Log;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class VirtioPciTest {
  private static final long ECAM = 0x3000_0000L;
  private static final long CONFIG = ECAM + (1 << 15);
  private static final long PIO = 0x300_0000L;
  private static final long MMIO = 0x4000_0000L;
  private static final long RAM = 0x8000_0000L;
  private static final long MODERN = MMIO + 0x10_0000;
  private static final long MESSAGES = MMIO + 0x20_0000;

  private final Bench bench = new Bench();

  /** A machine with a random number generator behind a function. */
  private static final class Bench {
    private final Machine machine = new Machine(Log.off());
    private final GuestRam ram = new GuestRam("ram", 1 << 16);
    private final Wire wire = new Wire();
    private final List<String> messages = new ArrayList<>();
    private final PciHost host;
    private VirtioPci function;

    Bench() {
      machine.memory().map(RAM, new RamRegion("ram", ram, true));
      try {
        host =
            new PciHost(
                "pcie.0",
                machine.memory(),
                new PciHost.Window(PIO, 0, 0x1_0000),
                List.of(new PciHost.Window(MMIO, MMIO, 0x4000_0000)),
                List.of(wire, wire, wire, wire),
                (address, data) -> messages.add(Long.toHexString(address) + ":" + data));
      } catch (DeviceException e) {
        throw new AssertionError(e);
      }
      machine.memory().map(ECAM, host.region());
    }

    VirtioRng rng() throws DeviceException {
      return new VirtioRng("rng0", VirtioHost.of(machine), new Random(7)::nextBytes, VirtioRng.UNLIMITED, 1);
    }

    VirtioPci plug(VirtioPciOptions options) throws DeviceException {
      function = new VirtioPci("virtio-rng-pci", "rng0", rng(), machine.log(), options);
      host.childBus().plug(function, "1");
      return function;
    }

    void enable() {
      put(CONFIG + 0x10, 4, 0x1000);
      put(CONFIG + 0x14, 4, MESSAGES);
      put(CONFIG + 0x20, 8, MODERN);
      put(CONFIG + 4, 2, 7);
    }

    long get(long address, int width) {
      try {
        return machine.memory().read(address, width);
      } catch (BusFault e) {
        throw new AssertionError("0x" + Long.toHexString(address), e);
      }
    }

    void put(long address, int width, long value) {
      try {
        machine.memory().write(address, width, value);
      } catch (BusFault e) {
        throw new AssertionError("0x" + Long.toHexString(address), e);
      }
    }

    /** A driver of VIRTIO 1 with one buffer of 16 bytes on offer. */
    void start(int vector) {
      put(MODERN + 0x14, 1, 0);
      put(MODERN + 0x08, 4, 1);
      put(MODERN + 0x0c, 4, VirtioFeatures.VERSION_1 >>> 32);
      put(MODERN + 0x14, 1, 11);
      put(MODERN + 0x16, 2, 0);
      put(MODERN + 0x18, 2, 8);
      put(MODERN + 0x1a, 2, vector);
      put(MODERN + 0x20, 8, RAM);
      put(MODERN + 0x28, 8, RAM + 0x100);
      put(MODERN + 0x30, 8, RAM + 0x200);
      put(MODERN + 0x1c, 2, 1);
      ram.fill(0, 0x1000, (byte) 0);
      put(RAM, 8, RAM + 0x1000);
      put(RAM + 8, 4, 16);
      put(RAM + 12, 2, 2);
      put(RAM + 0x102, 2, 1);
      put(MODERN + 0x14, 1, 15);
    }

    long used() {
      return get(RAM + 0x202, 2);
    }

    List<Device> devices() {
      return List.of(function, function.device());
    }

    byte[] save() {
      StateWriter out = new StateWriter();
      devices().forEach(out::section);
      return out.toByteArray();
    }

    void close() {
      machine.close();
      ram.release();
    }
  }

  @AfterEach
  void close() {
    bench.close();
  }

  private static VirtioPciOptions both(int vectors) {
    return new VirtioPciOptions(true, true, false, vectors);
  }

  @Test
  void aTransitionalFunctionTellsItsDeviceAsSubsystem() throws Exception {
    bench.plug(both(2));
    assertThat(bench.get(CONFIG, 4)).isEqualTo(0x1005_1af4);
    assertThat(bench.get(CONFIG + 8, 4)).isEqualTo(0x00ff_0000);
    assertThat(bench.get(CONFIG + 0x2c, 4)).isEqualTo(0x0004_1af4);
    bench.put(CONFIG + 0x10, 4, -1);
    assertThat(bench.get(CONFIG + 0x10, 4)).as("32 ports").isEqualTo(0xffff_ffe1L);
    bench.put(CONFIG + 0x20, 4, -1);
    assertThat(bench.get(CONFIG + 0x20, 4)).as("16 KiB").isEqualTo(0xffff_c00cL);
  }

  @Test
  void aModernFunctionHasNoPorts() throws Exception {
    bench.plug(new VirtioPciOptions(false, true, false, 0));
    assertThat(bench.get(CONFIG, 4)).isEqualTo(0x1044_1af4);
    assertThat(bench.get(CONFIG + 8, 1)).isEqualTo(1);
    assertThat(bench.get(CONFIG + 0x2c, 4)).isEqualTo(0x1100_1af4);
    bench.put(CONFIG + 0x10, 8, -1);
    assertThat(bench.get(CONFIG + 0x10, 8)).as("no ports, no messages").isZero();
  }

  @Test
  void capabilitiesTellWhereTheRegistersAre() throws Exception {
    bench.plug(both(2));
    List<String> found = new ArrayList<>();
    for (long at = bench.get(CONFIG + 0x34, 1); at != 0; at = bench.get(CONFIG + at + 1, 1)) {
      int id = (int) bench.get(CONFIG + at, 1);
      found.add(
          id == 9
              ? bench.get(CONFIG + at + 3, 1) + "@" + Long.toHexString(bench.get(CONFIG + at + 8, 4))
              : Integer.toHexString(id));
    }
    assertThat(found).containsExactlyInAnyOrder("1@0", "3@1000", "4@2000", "2@3000", "5@0", "11");
  }

  @Test
  void aRequestInterruptsByPinUntilTheIsrIsRead() throws Exception {
    bench.plug(both(2));
    bench.enable();
    bench.start(0);
    bench.put(MODERN + 0x3000, 2, 0);
    assertThat(bench.used()).isEqualTo(1);
    assertThat(bench.wire.isHigh()).isTrue();
    assertThat(bench.get(MODERN + 0x1000, 1)).isEqualTo(1);
    assertThat(bench.wire.isHigh()).isFalse();
    assertThat(bench.get(MODERN + 0x1000, 1)).isZero();
    assertThat(bench.messages).isEmpty();
  }

  @Test
  void aRequestInterruptsByTheQueuesMessage() throws Exception {
    bench.plug(both(2));
    bench.enable();
    bench.put(MESSAGES + 16, 8, 0x2800_0000L);
    bench.put(MESSAGES + 24, 8, 99);
    bench.put(CONFIG + 0x9a, 2, 0x8000);
    assertThat(bench.get(CONFIG + 0x98, 4)).as("the capability is there").isEqualTo(0x8001_8411L);
    bench.start(1);
    assertThat(bench.get(MODERN + 0x1a, 2)).isEqualTo(1);
    bench.put(MODERN + 0x3000, 2, 0);
    assertThat(bench.used()).isEqualTo(1);
    assertThat(bench.messages).containsExactly("28000000:99");
    assertThat(bench.wire.rises()).isZero();
    bench.put(MODERN + 0x1a, 2, 2);
    assertThat(bench.get(MODERN + 0x1a, 2)).as("no such vector").isEqualTo(0xffff);
  }

  @Test
  void nothingIsDoneUnlessTheFunctionIsABusMaster() throws Exception {
    bench.plug(both(2));
    bench.enable();
    bench.put(CONFIG + 4, 2, 3);
    bench.start(0);
    bench.put(MODERN + 0x3000, 2, 0);
    assertThat(bench.used()).isZero();
    bench.put(CONFIG + 4, 2, 7);
    bench.put(MODERN + 0x3000, 2, 0);
    assertThat(bench.used()).isEqualTo(1);
  }

  @Test
  void theInterfaceIsTheOneThatTheDriverUsesFirst() throws Exception {
    bench.plug(both(2));
    bench.enable();
    assertThat(bench.get(PIO + 0x1000, 4) & 1L << 28).isNotZero();
    bench.put(PIO + 0x1012, 1, 1);
    assertThat(bench.function.modern()).isFalse();
    bench.get(MODERN, 4);
    assertThat(bench.function.modern()).as("a driver is at work").isFalse();
    bench.put(MODERN + 0x14, 1, 0);
    assertThat(bench.get(MODERN + 4, 4)).isNotZero();
    assertThat(bench.function.modern()).isTrue();
    bench.put(MODERN, 4, 1);
    assertThat(bench.get(MODERN + 4, 4)).isEqualTo(1);
  }

  @Test
  void registersCanBeReachedThroughConfigurationSpace() throws Exception {
    bench.plug(both(2));
    long capability = CONFIG + 0x84;
    assertThat(bench.get(capability + 3, 1)).isEqualTo(5);
    bench.put(capability + 4, 1, 4);
    bench.put(capability + 8, 4, 0x14);
    bench.put(capability + 12, 4, 1);
    bench.put(capability + 16, 1, VirtioStatus.ACKNOWLEDGE);
    assertThat(bench.function.device().status()).isEqualTo(1);
    assertThat(bench.get(capability + 16, 1)).isEqualTo(1);
    bench.put(capability + 8, 4, 0x12);
    bench.put(capability + 12, 4, 2);
    assertThat(bench.get(capability + 16, 2)).as("queues").isEqualTo(1);
    bench.put(capability + 8, 4, 0x4000);
    bench.put(capability + 16, 2, 1);
    bench.put(capability + 8, 4, 0);
    bench.put(capability + 12, 4, 3);
    bench.put(capability + 16, 4, -1);
    assertThat(bench.get(capability + 16, 4)).isEqualTo(0xffff_ffffL);
  }

  @Test
  void behindAPortItIsAnEndpointThatCanBeResetAlone() throws Exception {
    PcieRootPort port = new PcieRootPort("rp", 0, 0, 0);
    bench.host.childBus().plug(port, "2");
    VirtioPci function =
        new VirtioPci("p", "r", bench.rng(), bench.machine.log(), new VirtioPciOptions(false, true, true, 0));
    port.childBus().plug(function, "");
    port.resetEnter();
    bench.put(ECAM + (2 << 15) + 0x18, 4, 0x010100);
    long config = ECAM + (1 << 20);
    long express = bench.get(config + 0x34, 1);
    assertThat(bench.get(config + express, 1)).isEqualTo(0x10);
    assertThat(bench.get(config + 0x100, 4)).as("extended space").isZero();
    bench.put(config + 0x20, 4, MODERN);
    bench.put(config + express + 8, 2, 1 << 15);
    assertThat(bench.get(config + 0x20, 4)).isEqualTo(0xc);
    assertThat(bench.get(config + express + 8, 2)).isZero();
  }

  @Test
  void whatAnInterfaceNeedsIsSaid() {
    assertThatThrownBy(() -> bench.plug(new VirtioPciOptions(false, false, false, 0)))
        .isInstanceOf(DeviceException.class)
        .hasMessage("device cannot work as neither modern nor legacy mode is enabled");
  }

  @Test
  void junkInAllRegistersHarmsNothingAndCanBeSaved() throws Exception {
    bench.plug(both(2));
    Random random = new Random(99);
    for (int round = 0; round < 60; round++) {
      bench.enable();
      for (int i = 0; i < 150; i++) {
        long base =
            switch (random.nextInt(5)) {
              case 0 -> CONFIG + random.nextInt(0x100);
              case 1 -> PIO + 0x1000 + random.nextInt(32);
              case 2 -> MESSAGES + random.nextInt(0x20);
              default -> MODERN + (random.nextInt(4) << 12) + random.nextInt(0x40);
            };
        int width = 1 << random.nextInt(4);
        base &= -width;
        if (random.nextBoolean()) {
          bench.put(base, width, random.nextBoolean() ? random.nextInt(16) : random.nextLong());
        } else {
          bench.get(base, width);
        }
      }
      byte[] state = bench.save();
      Bench other = new Bench();
      other.plug(both(2));
      StateReader in = new StateReader(state);
      for (Device device : other.devices()) {
        in.section(device);
      }
      assertThat(other.save()).isEqualTo(state);
      assertThat(other.wire.isHigh()).isEqualTo(bench.wire.isHigh());
      other.close();
    }
  }
}
