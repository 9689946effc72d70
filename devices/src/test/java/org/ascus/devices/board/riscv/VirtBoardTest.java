package org.ascus.devices.board.riscv;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import org.ascus.devices.fdt.Fdt;
import org.ascus.devices.fdt.FdtNode;
import org.ascus.devices.fdt.FdtReader;
import org.ascus.devices.fdt.FdtWriter;
import org.ascus.devices.loader.LoadException;
import org.ascus.devices.virtio.VirtioHost;
import org.ascus.devices.virtio.rng.VirtioRng;
import org.ascus.devices.virtio.transport.mmio.VirtioMmio;
import org.ascus.machine.bus.AddressSpace;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.run.Machine;
import org.ascus.machine.trace.Log;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VirtBoardTest {
  private static final long DRAM = 0x8000_0000L;
  private static final long MIB = 1 << 20;

  private final Machine machine = new Machine(Log.off());
  private final AddressSpace memory = machine.memory();

  @TempDir private Path dir;

  @AfterEach
  void release() {
    machine.close();
    machine.ram().forEach(r -> r.release());
  }

  /** What tests choose; the rest is as in {@link #options}. */
  private static final class Choice {
    private long ram = 512 * MIB;
    private int smp = 1;
    private Optional<Path> kernel = Optional.empty();
    private Optional<Path> initrd = Optional.empty();
    private Optional<Path> dtb = Optional.empty();
    private String append = "";
    private Firmware firmware = new Firmware.None();

    VirtOptions options() {
      return new VirtOptions(
          ram, smp, kernel, initrd, append, dtb, firmware, List.of(), List.of(), true, false, () -> 0,
          new byte[] {1, 2});
    }
  }

  private VirtBoard build(Choice choice) throws DeviceException, LoadException {
    VirtBoard board = VirtBoard.build(machine, new StubCpus(), choice.options());
    machine.resetForInstructionTime();
    return board;
  }

  private Optional<Path> file(String name, byte[] data) throws IOException {
    return Optional.of(Files.write(dir.resolve(name), data));
  }

  private Optional<Path> code(String name, int size) throws IOException {
    byte[] data = new byte[size];
    data[0] = 0x13;
    data[size - 1] = 0x7f;
    return file(name, data);
  }

  private byte[] read(long address, int size) throws Exception {
    byte[] data = new byte[size];
    memory.read(address, data, 0, size);
    return data;
  }

  private TreeSet<Integer> pending(int hart) {
    return ((StubCpus.StubCpu) machine.cpus().get(hart)).pending();
  }

  @Test
  void hartsStartInTheRomWhichJumpsToFirmwareAndTellsItTheKernel() throws Exception {
    Choice choice = new Choice();
    choice.kernel = code("k", 0x2000);
    choice.firmware = new Firmware.File(code("fw", 0x30_0001).orElseThrow());
    build(choice);
    assertThat(machine.cpus().getFirst().pc()).isEqualTo(0x1000);
    assertThat(memory.read(0x1018, 8)).as("start").isEqualTo(DRAM);
    assertThat(memory.read(0x1020, 8)).as("device tree").isEqualTo(DRAM + 510 * MIB);
    assertThat(memory.read(0x1028, 8)).as("magic").isEqualTo(0x4942534f);
    assertThat(memory.read(0x1030, 8)).as("version").isEqualTo(2);
    assertThat(memory.read(0x1038, 8)).as("kernel").isEqualTo(DRAM + 4 * MIB);
    assertThat(memory.read(0x1040, 8)).as("mode").isEqualTo(1);
    assertThat(memory.read(DRAM, 1)).isEqualTo(0x13);
    assertThat(memory.read(DRAM + 4 * MIB + 0x1fff, 1)).isEqualTo(0x7f);
  }

  @Test
  void withoutFirmwareTheKernelStartsAtTheBeginningOfRam() throws Exception {
    Choice choice = new Choice();
    choice.kernel = code("k", 16);
    build(choice);
    assertThat(memory.read(0x1018, 8)).isEqualTo(DRAM);
    assertThat(memory.read(DRAM, 1)).isEqualTo(0x13);
  }

  @Test
  void elfKernelStartsAtItsEntryAndFirmwareIsToldItsLowestAddress() throws Exception {
    ByteBuffer elf = ByteBuffer.allocate(64 + 56 + 4).order(ByteOrder.LITTLE_ENDIAN);
    elf.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1}).position(16);
    elf.putShort((short) 2).putShort((short) 243).putInt(1).putLong(0xffffffff_80000002L).putLong(64).putLong(0);
    elf.putInt(0).putShort((short) 64).putShort((short) 56).putShort((short) 1).putShort((short) 64);
    elf.position(64);
    elf.putInt(1).putInt(5).putLong(120).putLong(0xffffffff_80000000L).putLong(DRAM + MIB).putLong(4).putLong(4);
    Choice choice = new Choice();
    choice.kernel = file("vmlinux", elf.array());
    build(choice);
    assertThat(memory.read(0x1018, 8)).isEqualTo(DRAM + MIB + 2);
    assertThat(memory.read(0x1038, 8)).isEqualTo(DRAM + MIB);
  }

  @Test
  void chosenTellsCommandLineAndInitialRamDisk() throws Exception {
    Choice choice = new Choice();
    choice.kernel = code("k", 0x2000);
    choice.initrd = code("i", 0x1234);
    choice.append = "console=ttyS0 x=\"y z\"";
    choice.firmware = new Firmware.Bytes("fw", new byte[] {0x13});
    VirtBoard board = build(choice);
    long tree = memory.read(0x1020, 8);
    assertThat(read(tree, board.deviceTree().length)).isEqualTo(board.deviceTree());
    FdtNode chosen = FdtReader.read(board.deviceTree()).root().find("chosen").orElseThrow();
    assertThat(chosen.strings("bootargs")).containsExactly("console=ttyS0 x=\"y z\"");
    assertThat(chosen.cells("linux,initrd-start")).containsExactly(0x8820_0000);
    assertThat(chosen.cells("linux,initrd-end")).containsExactly(0x8820_1234);
    assertThat(chosen.bytes("rng-seed").orElseThrow()).containsExactly(1, 2);
    assertThat(memory.read(0x8820_1233L, 1)).isEqualTo(0x7f);
  }

  @Test
  void aSmallMachinesInitialRamDiskStaysInItsRam() throws Exception {
    Choice choice = new Choice();
    choice.ram = 64 * MIB;
    choice.kernel = code("k", 0x2000);
    choice.initrd = code("i", 16);
    build(choice);
    assertThat(memory.read(DRAM + 32 * MIB, 1)).isEqualTo(0x13);
  }

  @Test
  void imagesAreLoadedAgainAtEveryReset() throws Exception {
    Choice choice = new Choice();
    choice.kernel = code("k", 16);
    build(choice);
    memory.write(DRAM, 8, -1);
    machine.resetForInstructionTime();
    assertThat(memory.read(DRAM, 8)).isEqualTo(0x13);
  }

  @Test
  void theRomCannotBeWritten() throws Exception {
    build(new Choice());
    memory.write(0x1000, 4, 0);
    assertThat(memory.read(0x1000, 4)).isEqualTo(0x297);
  }

  @Test
  void aGivenDeviceTreeReplacesTheBoardsAndGetsTheCommandLine() throws Exception {
    FdtNode root = new FdtNode("");
    root.addChild("mine").setFlag("x");
    Choice choice = new Choice();
    choice.dtb = file("dtb", FdtWriter.write(Fdt.of(root)));
    choice.append = "quiet";
    FdtNode result = FdtReader.read(build(choice).deviceTree()).root();
    assertThat(result.children()).extracting(FdtNode::name).containsExactly("mine", "chosen");
    assertThat(result.child("chosen").strings("bootargs")).containsExactly("quiet");
  }

  @Test
  void interruptsReachTheHartsThatTheDeviceTreeNames() throws Exception {
    Choice choice = new Choice();
    choice.smp = 2;
    VirtBoard board = build(choice);
    memory.write(0x200_0004, 4, 1);
    assertThat(pending(0)).doesNotContain(3);
    assertThat(pending(1)).contains(3);
    VirtioRng rng = new VirtioRng("r", VirtioHost.of(machine), b -> {}, Long.MAX_VALUE, 1000);
    board.virtioBus().plug(rng);
    memory.write(0xc00_0000 + 4 * 8, 4, 1);
    memory.write(0xc00_2000 + 0x80 * 3, 4, 1 << 8);
    board.virtioSlots().get(7).queueInterrupt(0);
    assertThat(pending(0)).doesNotContain(9, 11);
    assertThat(pending(1)).contains(9).doesNotContain(11);
  }

  @Test
  void virtioDevicesFillTheSlotsFromTheHighestAddress() throws Exception {
    VirtBoard board = build(new Choice());
    VirtioRng rng = new VirtioRng("r", VirtioHost.of(machine), b -> {}, Long.MAX_VALUE, 1000);
    board.virtioBus().plug(rng);
    assertThat(board.virtioSlots()).filteredOn(s -> s.plugged().isPresent()).extracting(VirtioMmio::id)
        .containsExactly("virtio-mmio-bus.7");
    assertThat(memory.read(0x1000_8008, 4)).isEqualTo(4);
    assertThat(memory.read(0x1000_1008, 4)).isZero();
  }

  @Test
  void whatDoesNotFitIsRefusedByName() throws Exception {
    Choice choice = new Choice();
    choice.ram = 2 * MIB;
    choice.kernel = code("k", 16);
    assertThatThrownBy(() -> build(choice))
        .isInstanceOf(LoadException.class)
        .hasMessageMatching("-kernel .*k at 0x80000000-0x8000000f overlaps device tree at 0x80000000-0x.*");
  }

  @Test
  void impossibleMachinesAreRefused() {
    Choice choice = new Choice();
    choice.smp = 513;
    assertThatThrownBy(() -> build(choice))
        .isInstanceOf(DeviceException.class)
        .hasMessage("-smp 513: machine 'virt' has 1 to 512 harts");
    choice.smp = 1;
    choice.ram = 0;
    assertThatThrownBy(() -> build(choice)).isInstanceOf(DeviceException.class).hasMessageStartingWith("-m: ");
  }

  @Test
  void damagedDeviceTreeIsRefusedByName() throws Exception {
    Choice choice = new Choice();
    choice.dtb = file("dtb", new byte[100]);
    assertThatThrownBy(() -> build(choice))
        .isInstanceOf(LoadException.class)
        .hasMessageMatching("-dtb .*dtb: not a device tree \\(magic 0x00000000 at offset 0\\)");
  }
}
