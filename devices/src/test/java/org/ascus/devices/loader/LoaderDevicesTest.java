package org.ascus.devices.loader;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.ascus.machine.bus.GuestRam;
import org.ascus.machine.bus.RamRegion;
import org.ascus.machine.device.Device;
import org.ascus.machine.device.DeviceContext;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.device.DeviceType;
import org.ascus.machine.device.PropertyValues;
import org.ascus.machine.run.Machine;
import org.ascus.machine.trace.Log;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LoaderDevicesTest implements DeviceContext {
  private static final long BASE = 0x8000_0000L;

  @TempDir private Path dir;
  private final Machine machine = new Machine(Log.off());

  @Override
  public Machine machine() {
    return machine;
  }

  @Override
  public <T> T lookup(Class<T> kind, String id) throws DeviceException {
    throw new DeviceException("nothing to look up");
  }

  @BeforeEach
  void addMemory() {
    machine.memory().map(BASE, new RamRegion("ram", new GuestRam("ram", 0x1000), true));
    machine.memory().map(BASE + 0x1000, new RamRegion("rom", new GuestRam("rom", 0x1000), false));
  }

  @AfterEach
  void close() {
    machine.close();
  }

  private Device make(Map<String, String> values) throws DeviceException {
    DeviceType type = new LoaderDevices().types().getFirst();
    return type.factory().create(this, "loader0", new PropertyValues("loader", type.properties(), values));
  }

  private void reset() {
    machine.useInstructionTime(0);
    machine.resetForInstructionTime();
  }

  @Test
  void dataIsWrittenAtEachReset() throws Exception {
    make(Map.of("addr", "0x80000010", "data", "0x1122334455667788", "data-len", "4"));
    make(Map.of("addr", "0x80001000", "data", "0x1234", "data-len", "2", "data-be", "on"));
    assertThat(machine.memory().read(BASE + 0x10, 4)).isZero();
    reset();
    assertThat(machine.memory().read(BASE + 0x10, 8)).isEqualTo(0x55667788);
    assertThat(machine.memory().read(BASE + 0x1000, 2)).as("big-endian, to ROM").isEqualTo(0x3412);
    machine.memory().write(BASE + 0x10, 8, -1);
    machine.resetForInstructionTime();
    assertThat(machine.memory().read(BASE + 0x10, 8)).isEqualTo(0xffffffff_55667788L);
  }

  @Test
  void fileIsLoadedAtItsOwnOrTheGivenAddress() throws Exception {
    Path elf = Files.write(dir.resolve("a.elf"), ImageLoaderTest.elf());
    make(Map.of("file", elf.toString()));
    make(Map.of("file", elf.toString(), "force-raw", "on", "addr", "0x80000800"));
    reset();
    assertThat(machine.memory().read(BASE + 0x100, 4)).isEqualTo(0x13);
    assertThat(machine.memory().read(BASE + 0x800, 4)).isEqualTo(0x464c457f);
  }

  @Test
  void whatCannotBeLoadedIsRefusedByName() {
    assertThatThrownBy(() -> make(Map.of())).hasMessageContaining("data and data-len");
    assertThatThrownBy(() -> make(Map.of("data", "1"))).hasMessageContaining("data-len=0");
    assertThatThrownBy(() -> make(Map.of("data", "1", "data-len", "9"))).hasMessageContaining("data-len=9");
    assertThatThrownBy(() -> make(Map.of("data", "1", "data-len", "1", "file", "x"))).hasMessageContaining("file=x");
    assertThatThrownBy(() -> make(Map.of("file", "/nonexistent/x"))).hasMessageContaining("/nonexistent/x");
    assertThatThrownBy(() -> make(Map.of("addr", "0x1000", "data", "1", "data-len", "1")))
        .hasMessageContaining("no memory for 0x1000");
    assertThatThrownBy(() -> make(Map.of("addr", "0x80000000", "cpu-num", "1"))).hasMessageContaining("cpu-num=1");
  }
}
