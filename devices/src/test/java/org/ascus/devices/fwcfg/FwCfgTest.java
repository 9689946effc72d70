package org.ascus.devices.fwcfg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.ascus.devices.DeviceContractTest;
import org.ascus.machine.bus.GuestRam;
import org.ascus.machine.bus.MmioRegion;
import org.ascus.machine.bus.RamRegion;
import org.ascus.machine.device.Device;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class FwCfgTest extends DeviceContractTest {
  private static final long RAM = 0x8000_0000L;
  private static final long REGISTERS = 0x1010_0000L;
  private static final int DIRECTORY = 0x19;
  private static final int ERROR = 1;
  private static final int READ = 2;
  private static final int SKIP = 4;
  private static final int SELECT = 8;
  private static final int WRITE = 16;

  private FwCfg device;
  private MmioRegion io;

  @Override
  protected Device create() {
    FwCfg result = new FwCfg("fwcfg", machine.memory(), machine.log());
    result.addShort(FwCfg.CPUS, 3);
    result.addFile("opt/b", "second file".getBytes(StandardCharsets.US_ASCII));
    result.addFile("etc/a", new byte[] {9, 8, 7});
    return result;
  }

  @Override
  protected List<MmioRegion> regions(Device cfg) {
    return List.of(((FwCfg) cfg).region());
  }

  @Override
  protected List<Long> interestingOffsets() {
    return List.of(0L, 8L, 16L, 20L);
  }

  @BeforeEach
  void make() {
    device = (FwCfg) create();
    io = device.region();
    machine.memory().map(RAM, new RamRegion("ram", new GuestRam("ram", 0x2000), true));
    machine.memory().map(RAM + 0x2000, new RamRegion("rom", new GuestRam("rom", 0x1000), false));
    machine.memory().map(REGISTERS, io);
  }

  private void select(int key) {
    io.write(8, 2, Short.reverseBytes((short) key) & 0xffff);
  }

  private String text(int length) {
    StringBuilder result = new StringBuilder();
    for (int i = 0; i < length; i++) {
      result.append((char) io.read(0, 1));
    }
    return result.toString();
  }

  private int dma(int control, int length, long address) throws Exception {
    ByteBuffer descriptor = ByteBuffer.allocate(16).putInt(control).putInt(length).putLong(address);
    machine.memory().write(RAM, descriptor.array(), 0, 16);
    io.write(16, 8, Long.reverseBytes(RAM));
    byte[] result = new byte[4];
    machine.memory().read(RAM, result, 0, 4);
    return ByteBuffer.wrap(result).getInt();
  }

  private String ram(long address, int length) throws Exception {
    byte[] bytes = new byte[length];
    machine.memory().read(address, bytes, 0, length);
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  @Test
  void showsItsSignatureAndFeatures() {
    select(0);
    assertThat(text(4)).isEqualTo("QEMU");
    select(1);
    assertThat(io.read(0, 4)).isEqualTo(3);
    select(FwCfg.CPUS);
    assertThat(io.read(0, 2)).isEqualTo(3);
    assertThat(io.read(0, 2)).as("after the end").isZero();
    assertThat(io.read(16, 8)).isEqualTo(Long.reverseBytes(0x51454d5520434647L));
    assertThat(io.read(20, 4)).isEqualTo(Integer.reverseBytes(0x20434647));
  }

  @Test
  void wideReadsKeepTheOrderOfBytes() {
    select(0x21);
    assertThat(io.read(0, 8)).isEqualTo(Long.reverseBytes(0x7365636f6e642066L));
    assertThat(io.read(0, 4)).isEqualTo(Integer.reverseBytes(0x696c6500));
  }

  @Test
  void directoryNamesFilesInOrder() throws Exception {
    assertThat(dma(DIRECTORY << 16 | SELECT | READ, 132, RAM + 0x100)).isZero();
    byte[] bytes = ram(RAM + 0x100, 132).getBytes(StandardCharsets.ISO_8859_1);
    ByteBuffer directory = ByteBuffer.wrap(bytes);
    assertThat(directory.getInt()).isEqualTo(2);
    assertThat(directory.getInt()).isEqualTo(3);
    assertThat(directory.getShort()).isEqualTo((short) 0x20);
    assertThat(new String(bytes, 12, 6, StandardCharsets.US_ASCII)).isEqualTo("etc/a\0");
    assertThat(directory.getInt(68)).isEqualTo(11);
    assertThat(directory.getShort(72)).isEqualTo((short) 0x21);
    assertThat(new String(bytes, 76, 6, StandardCharsets.US_ASCII)).isEqualTo("opt/b\0");
  }

  @Test
  void dmaSelectsSkipsAndReadsOnWithZerosAfterTheEnd() throws Exception {
    assertThat(dma(0x21 << 16 | SELECT | SKIP, 7, 0)).isZero();
    assertThat(dma(READ, 3, RAM + 0x100)).isZero();
    machine.memory().write(RAM + 0x103, 4, -1);
    assertThat(dma(READ, 3, RAM + 0x103)).isZero();
    assertThat(ram(RAM + 0x100, 7)).isEqualTo("file\0\0\u00ff");
  }

  @Test
  void dmaStartsWithTheLowHalfOfTheAddress() throws Exception {
    ByteBuffer descriptor = ByteBuffer.allocate(16).putInt(READ | SELECT).putInt(4).putLong(RAM + 0x100);
    machine.memory().write(RAM, descriptor.array(), 0, 16);
    io.write(16, 4, 0);
    assertThat(ram(RAM + 0x100, 4)).isEqualTo("\0\0\0\0");
    io.write(20, 4, Integer.reverseBytes((int) RAM) & 0xffffffffL);
    assertThat(ram(RAM + 0x100, 4)).isEqualTo("QEMU");
  }

  @Test
  void writesAndTransfersOutsideRamAreRefused() throws Exception {
    assertThat(dma(0x21 << 16 | SELECT | WRITE, 4, RAM + 0x100)).isEqualTo(ERROR);
    assertThat(dma(READ, 4, 0x1234)).isEqualTo(ERROR);
    assertThat(dma(READ, 4, RAM + 0x2000)).isEqualTo(ERROR);
    assertThat(dma(READ, 0x100, RAM + 0x1ff0)).isEqualTo(ERROR);
    assertThat(dma(READ, -1, -8)).isEqualTo(ERROR);
    assertThat(dma(READ, 16, REGISTERS)).as("itself").isEqualTo(ERROR);
    io.write(16, 8, Long.reverseBytes(REGISTERS));
    io.write(16, 8, -1);
  }

  @Test
  void fileNamesAreChecked() {
    assertThatThrownBy(() -> device.addFile("opt/b", new byte[0])).hasMessageContaining("exists already");
    assertThatThrownBy(() -> device.addFile("x".repeat(56), new byte[0])).hasMessageContaining("55");
  }
}
