package org.ascus.devices.flash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.ascus.devices.DeviceContractTest;
import org.ascus.machine.bus.AddressSpace;
import org.ascus.machine.bus.MmioRegion;
import org.ascus.machine.bus.RamRegion;
import org.ascus.machine.device.Device;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.trace.Log;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CfiFlashTest extends DeviceContractTest {
  private static final int SIZE = 64 << 10;
  private static final int SECTOR = 16 << 10;
  private static final long BASE = 0x2000_0000;

  @TempDir private Path dir;
  private AddressSpace space;
  private CfiFlash flash;

  @Override
  protected Device create() {
    return CfiFlash.blank("flash", machine.log(), SIZE, SECTOR);
  }

  @Override
  protected List<MmioRegion> regions(Device device) {
    return List.of(((CfiFlash) device).commands());
  }

  @Override
  protected boolean resetForgetsAll() {
    return false;
  }

  @BeforeEach
  void make() {
    use(CfiFlash.of("flash", Log.off(), SIZE, SECTOR, new byte[] {1, 2, 3, 4, 5, 6, 7, 8}));
  }

  private void use(CfiFlash other) {
    flash = other;
    space = new AddressSpace("test", Log.off());
    space.map(BASE, flash.region());
  }

  private long read(long offset) throws Exception {
    return space.read(BASE + offset, 4);
  }

  private void write(long offset, long value) throws Exception {
    space.write(BASE + offset, 4, value);
  }

  private void command(long offset, int command) throws Exception {
    write(offset, command * 0x10001L);
  }

  @Test
  void arrayModeIsPlainMemoryThatKeepsItsContentsOnStores() throws Exception {
    assertThat(space.view().find(BASE, 4).region()).isInstanceOf(RamRegion.class);
    assertThat(space.read(BASE, 8)).isEqualTo(0x0807060504030201L);
    assertThat(read(8)).isEqualTo(0xffffffffL);
    write(0, 0xff);
    assertThat(read(0)).isEqualTo(0x04030201);
  }

  @Test
  void bothChipsAnswerQueriesInTheirHalves() throws Exception {
    command(0x55 * 4, 0x98);
    assertThat(read(0x10 * 4)).isEqualTo('Q' * 0x10001L);
    assertThat(read(0x11 * 4)).isEqualTo('R' * 0x10001L);
    assertThat(read(0x12 * 4)).isEqualTo('Y' * 0x10001L);
    assertThat(read(0x13 * 4)).isEqualTo(0x10001L);
    assertThat(read(0x27 * 4)).as("32 KiB a chip").isEqualTo(15 * 0x10001L);
    assertThat(read(0x2d * 4)).as("blocks less one").isEqualTo(3 * 0x10001L);
    assertThat(read(0x2f * 4) & 0xff).as("8 KiB a block and chip, in units of 256").isEqualTo(32);
    command(0, 0x90);
    assertThat(read(0)).isEqualTo(0x890089L);
    assertThat(read(4)).isEqualTo(0x180018L);
    assertThat(space.read(BASE + 2, 2)).isEqualTo(0x89);
    command(0, 0xff);
    assertThat(read(0)).isEqualTo(0x04030201);
  }

  @Test
  void modeChangesAreChangesOfTheLayout() throws Exception {
    AtomicInteger changes = new AtomicInteger();
    space.addLayoutListener(changes::incrementAndGet);
    command(0, 0x70);
    assertThat(changes).hasValue(1);
    assertThat(space.view().find(BASE, 4).region()).isInstanceOf(MmioRegion.class);
    command(0, 0x70);
    assertThat(changes).hasValue(1);
    command(0, 0xff);
    assertThat(changes).hasValue(2);
  }

  @Test
  void wordsAreProgrammedByClearingBits() throws Exception {
    command(16, 0x40);
    write(16, 0x12345678);
    assertThat(read(0)).isEqualTo(0x800080);
    command(0, 0xff);
    assertThat(read(16)).isEqualTo(0x12345678);
    command(16, 0x10);
    write(16, 0xffff0000L);
    command(0, 0xff);
    assertThat(read(16)).isEqualTo(0x12340000);
  }

  @Test
  void erasedBlockIsAllOnesAndOthersStay() throws Exception {
    command(SECTOR, 0x40);
    write(SECTOR, 0);
    command(SECTOR + 400, 0x20);
    command(SECTOR + 400, 0xd0);
    assertThat(read(SECTOR)).isEqualTo(0x800080);
    command(0, 0xff);
    assertThat(read(SECTOR)).isEqualTo(0xffffffffL);
    assertThat(read(0)).isEqualTo(0x04030201);
  }

  @Test
  void buffersAreProgrammedOnConfirmation() throws Exception {
    command(0x1000, 0xe8);
    assertThat(read(0x1000)).isEqualTo(0x800080);
    write(0x1000, 2 * 0x10001L);
    write(0x1000, 0x11);
    write(0x1004, 0x22);
    write(0x1008, 0x33);
    assertThat(read(0x1000)).isEqualTo(0x800080);
    command(0x1000, 0xd0);
    command(0, 0xff);
    assertThat(read(0x1000)).isEqualTo(0x11);
    assertThat(read(0x1004)).isEqualTo(0x22);
    assertThat(read(0x1008)).isEqualTo(0x33);
    assertThat(read(0x100c)).isEqualTo(0xffffffffL);
  }

  @Test
  void wrongSequencesFailAndChangeNothing() throws Exception {
    command(0, 0x20);
    command(0, 0x40);
    assertThat(read(0)).isEqualTo(0xb000b0);
    command(0, 0x50);
    command(0, 0x70);
    assertThat(read(0)).isEqualTo(0x800080);
    command(0, 0xe8);
    write(0, 0xffff * 0x10001L);
    assertThat(read(0)).isEqualTo(0xb000b0);
    command(0, 0xff);
    assertThat(read(0)).isEqualTo(0x04030201);
  }

  @Test
  void blockLocksAreAccepted() throws Exception {
    command(0, 0x60);
    command(0, 0xd0);
    command(0, 0x70);
    assertThat(read(0)).isEqualTo(0x800080);
  }

  @Test
  void blankBankReadsOnesUntilItIsProgrammed() throws Exception {
    use(CfiFlash.blank("flash", Log.off(), SIZE, SECTOR));
    assertThat(space.read(BASE + 100, 8)).isEqualTo(-1L);
    command(0, 0x40);
    write(0, 0x1234);
    command(0, 0xff);
    assertThat(read(0)).isEqualTo(0x1234);
    assertThat(read(4)).isEqualTo(0xffffffffL);
    assertThat(space.view().find(BASE, 4).region()).isInstanceOf(RamRegion.class);
  }

  @Test
  void fileIsReadAndWritten() throws Exception {
    Path file = dir.resolve("vars");
    byte[] contents = new byte[SIZE];
    Arrays.fill(contents, (byte) 0x5a);
    Files.write(file, contents);
    use(CfiFlash.open("flash", Log.off(), SIZE, SECTOR, file, false));
    assertThat(read(0)).isEqualTo(0x5a5a5a5a);
    command(0, 0x20);
    command(0, 0xd0);
    command(8, 0x40);
    write(8, 0x01020304);
    flash.close();
    byte[] now = Files.readAllBytes(file);
    assertThat(now).hasSize(SIZE);
    assertThat(Arrays.copyOf(now, 12)).containsExactly(-1, -1, -1, -1, -1, -1, -1, -1, 4, 3, 2, 1);
    assertThat(now[SECTOR]).isEqualTo((byte) 0x5a);
  }

  @Test
  void readOnlyFileFailsProgrammingAndStays() throws Exception {
    Path file = dir.resolve("code");
    Files.write(file, new byte[SIZE]);
    use(CfiFlash.open("flash", Log.off(), SIZE, SECTOR, file, true));
    command(0, 0x20);
    command(0, 0xd0);
    assertThat(read(0)).isEqualTo(0xa000a0);
    command(0, 0x40);
    write(0, 0);
    assertThat(read(0)).isEqualTo(0xb000b0);
    command(0, 0xff);
    assertThat(read(0)).isZero();
    flash.close();
    assertThat(Files.readAllBytes(file)).isEqualTo(new byte[SIZE]);
  }

  @Test
  void fileOfAnotherSizeIsRefusedByName() throws Exception {
    Path file = dir.resolve("short");
    Files.write(file, new byte[100]);
    assertThatThrownBy(() -> CfiFlash.open("flash", Log.off(), SIZE, SECTOR, file, true))
        .isInstanceOf(DeviceException.class)
        .hasMessageContaining("short has 100 bytes");
    assertThatThrownBy(() -> CfiFlash.open("flash", Log.off(), SIZE, SECTOR, dir.resolve("none"), true))
        .isInstanceOf(DeviceException.class)
        .hasMessageContaining("none': No such file");
  }

  @Test
  void contentsStayOverResetAndTravelWithTheState() throws Exception {
    command(0, 0x40);
    write(0, 0);
    reset(flash);
    assertThat(read(0)).isZero();
    CfiFlash other = CfiFlash.blank("flash", Log.off(), SIZE, SECTOR);
    load(other, save(flash));
    use(other);
    assertThat(space.read(BASE, 8)).isEqualTo(0x0807060500000000L);
  }
}
