package org.ascus.devices.virtio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.stream.IntStream;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.Drive;
import org.ascus.devices.block.protocol.FileProtocol;
import org.ascus.devices.pci.MsiTarget;
import org.ascus.devices.pci.PciBus;
import org.ascus.devices.pci.PciHost;
import org.ascus.devices.pci.PciPlug;
import org.ascus.devices.pci.PcieRootPort;
import org.ascus.devices.virtio.transport.mmio.VirtioMmio;
import org.ascus.devices.virtio.transport.mmio.VirtioMmioSlots;
import org.ascus.machine.device.Device;
import org.ascus.machine.device.DeviceContext;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.device.DeviceProvider;
import org.ascus.machine.device.DeviceType;
import org.ascus.machine.device.PropertyValues;
import org.ascus.machine.irq.IrqLine;
import org.ascus.machine.run.Machine;
import org.ascus.machine.trace.Log;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class VirtioDevicesTest {
  private final Machine machine = new Machine(Log.off());
  private final List<VirtioMmio> slots =
      IntStream.of(1, 0)
          .mapToObj(i -> new VirtioMmio("virtio-mmio-bus." + i, machine.log(), true, IrqLine.NONE))
          .toList();
  private final VirtioMmioSlots bus = new VirtioMmioSlots(slots);
  private final PciHost pci =
      new PciHost(
          "pcie.0",
          machine.memory(),
          new PciHost.Window(0x300_0000, 0, 0x1_0000),
          List.of(new PciHost.Window(0x4000_0000, 0x4000_0000, 0x4000_0000)),
          List.of(IrqLine.NONE, IrqLine.NONE, IrqLine.NONE, IrqLine.NONE),
          MsiTarget.NONE);
  private final BlockNode disk = FileProtocol.temporary(1 << 20);

  private final DeviceContext context =
      new DeviceContext() {
        @Override
        public Machine machine() {
          return machine;
        }

        @Override
        public <T> T lookup(Class<T> kind, String id) throws DeviceException {
          Object found =
              kind == VirtioBus.class
                  ? bus
                  : kind == PciPlug.class
                      ? machine.devices().stream().filter(d -> d.id().equals(id)).findFirst().orElse(pci)
                      : id.equals("hd") ? new Drive("hd", disk) : id.equals("empty") ? new Drive("empty") : null;
          if (!kind.isInstance(found)) {
            throw new DeviceException("no " + kind.getSimpleName() + " '" + id + "'");
          }
          return kind.cast(found);
        }
      };

  VirtioDevicesTest() throws Exception {}

  @AfterEach
  void close() throws Exception {
    disk.close();
  }

  private Device make(String name, Map<String, String> properties) throws DeviceException {
    DeviceType type =
        ServiceLoader.load(DeviceProvider.class).stream()
            .flatMap(p -> p.get().types().stream())
            .filter(t -> t.name().equals(name))
            .findFirst()
            .orElseThrow();
    return type.factory().create(context, "dev" + machine.devices().size(),
        new PropertyValues(name, type.properties(), properties));
  }

  private static List<Long> ids(PciBus bus) {
    return bus.functions().stream().map(f -> f.config().get(2, 2)).toList();
  }

  @Test
  void devicesTakeTheFirstFreeSlotUntilThereIsNone() throws Exception {
    Device blk = make("virtio-blk-device", Map.of("drive", "hd", "serial", "X"));
    assertThat(slots.get(0).plugged()).contains((VirtioDevice) blk);
    make("virtio-rng-device", Map.of());
    assertThat(slots.get(1).plugged()).isPresent();
    assertThatThrownBy(() -> make("virtio-rng-device", Map.of()))
        .isInstanceOf(DeviceException.class)
        .hasMessage("No 'virtio-bus' bus found for device 'virtio-rng-device'");
  }

  @Test
  void everyKindIsThereOnAllTransports() {
    VirtioDevices provider = new VirtioDevices();
    List<String> names = provider.types().stream().map(DeviceType::name).toList();
    assertThat(provider.aliases())
        .containsEntry("virtio-blk", "virtio-blk-pci")
        .allSatisfy(
            (alias, name) ->
                assertThat(names).contains(name, alias + "-device"));
    assertThat(names).contains("virtio-blk-pci-transitional", "virtio-blk-pci-non-transitional");
    assertThat(names).as("input is younger than the legacy interface").doesNotContain("virtio-mouse-pci-transitional");
  }

  @Test
  void aFunctionBehindAPortHasNoLegacyInterfaceUnlessAsked() throws Exception {
    PcieRootPort port = new PcieRootPort("rp", 0, 0, 1);
    pci.childBus().plug(port, "2");
    machine.addDevice(port);
    make("virtio-rng-pci", Map.of("addr", "1"));
    make("virtio-rng-pci-non-transitional", Map.of("addr", "4"));
    make("virtio-rng-pci", Map.of("addr", "5", "disable-legacy", "on"));
    assertThat(ids(pci.childBus())).containsExactly(0x0008L, 0x1005L, 0x000cL, 0x1044L, 0x1044L);
    make("virtio-rng-pci", Map.of("bus", "rp"));
    assertThat(ids(port.childBus())).containsExactly(0x1044L);
    assertThatThrownBy(() -> make("virtio-rng-pci", Map.of("disable-legacy", "x"))).hasMessageContaining("'x'");
    assertThatThrownBy(() -> make("virtio-rng-pci", Map.of("disable-legacy", "on", "disable-modern", "on")))
        .hasMessageContaining("neither");
    assertThatThrownBy(() -> make("virtio-rng-pci", Map.of("addr", "1"))).hasMessageContaining("not available");
  }

  @Test
  void anEmptySlotShowsNoDevice() {
    VirtioMmio slot = slots.get(0);
    assertThat(slot.region().read(0, 4)).isEqualTo(0x74726976);
    assertThat(slot.region().read(4, 4)).isEqualTo(1);
    assertThat(slot.region().read(8, 4)).isZero();
    slot.region().write(0x70, 4, 1);
    assertThat(slot.region().read(0x70, 4)).isZero();
  }

  @Test
  void wrongPropertiesAreNamed() {
    assertThatThrownBy(() -> make("virtio-blk-device", Map.of())).hasMessageContaining("drive property not set");
    assertThatThrownBy(() -> make("virtio-blk-device", Map.of("drive", "empty")))
        .hasMessageContaining("Device needs media, but drive is empty");
    assertThatThrownBy(() -> make("virtio-blk-device", Map.of("drive", "x"))).hasMessageContaining("'x'");
    assertThatThrownBy(() -> make("virtio-blk-device", Map.of("drive", "hd", "logical_block_size", "100")))
        .hasMessageContaining("logical_block_size")
        .hasMessageContaining("100");
    assertThatThrownBy(() -> make("virtio-blk-device", Map.of("drive", "hd", "queue-size", "100")))
        .hasMessageContaining("queue-size")
        .hasMessageContaining("100");
    assertThatThrownBy(() -> make("virtio-blk-device", Map.of("drive", "hd", "num-queues", "0")))
        .hasMessageContaining("num-queues");
    assertThatThrownBy(() -> make("virtio-rng-device", Map.of("period", "0"))).hasMessageContaining("period");
    assertThatThrownBy(() -> make("virtio-rng-device", Map.of("color", "red"))).hasMessageContaining("color");
    assertThat(slots).allMatch(s -> s.plugged().isEmpty());
  }
}
