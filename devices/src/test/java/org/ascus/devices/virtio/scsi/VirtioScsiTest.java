package org.ascus.devices.virtio.scsi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.Drive;
import org.ascus.devices.block.ErrorPolicy;
import org.ascus.devices.block.IoThread;
import org.ascus.devices.block.filter.FilterNode;
import org.ascus.devices.block.protocol.FileProtocol;
import org.ascus.devices.scsi.ScsiDisk;
import org.ascus.devices.scsi.ScsiDiskOptions;
import org.ascus.devices.scsi.SenseException;
import org.ascus.devices.virtio.GuestDriver;
import org.ascus.devices.virtio.VirtioContract;
import org.ascus.devices.virtio.VirtioDevice;
import org.ascus.devices.virtio.VirtioHost;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.device.PropertyValues;
import org.ascus.machine.run.RunState;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class VirtioScsiTest extends VirtioContract {
  private static final int SIZE = 1 << 20;
  private static final int HEADER = 51;
  private static final int ANSWER = 108;

  private final BlockNode disk = FileProtocol.temporary(SIZE);
  private GuestDriver.Queue queue;

  VirtioScsiTest() throws Exception {}

  @AfterEach
  void closeDisk() throws Exception {
    disk.close();
  }

  @Override
  protected VirtioDevice device(VirtioHost host) throws Exception {
    VirtioScsi scsi = new VirtioScsi("scsi0", host, 1, new IoThread("test", 4));
    scsi.plug(new ScsiDisk("x", disk, options(Map.of(), "hd")), 0, 0);
    scsi.plug(new ScsiDisk("cd", disk, ScsiDiskOptions.CD), 0, 300);
    scsi.plug(new ScsiDisk("other", disk, ScsiDiskOptions.DISK), ScsiBus.ANY, 0);
    return scsi;
  }

  private static ScsiDiskOptions options(Map<String, String> given, String drive) throws DeviceException {
    ScsiDiskOptions d = ScsiDiskOptions.DISK;
    return d.with(new PropertyValues("scsi-hd", d.properties(), given), drive, ErrorPolicy.DEFAULT);
  }

  @Override
  protected int workQueue() {
    return 2;
  }

  @Override
  protected boolean writesWorkQueue() {
    return false;
  }

  /** What a command came to. */
  private record Result(int response, int status, int residual, byte[] sense, byte[] data) {
    String senseText() {
      return "%x/%02x".formatted(sense[2], sense[12]);
    }
  }

  private Result command(GuestDriver d, int target, int lun, byte[] cdb, byte[] out, int in) {
    byte[] head = new byte[HEADER];
    head[0] = 1;
    head[1] = (byte) target;
    head[2] = (byte) (0x40 | lun >> 8);
    head[3] = (byte) lun;
    System.arraycopy(cdb, 0, head, 19, cdb.length);
    long header = d.bytes(head);
    long answer = d.alloc(ANSWER);
    long data = d.alloc(Math.max(in, 1));
    long given = d.bytes(out.length == 0 ? new byte[1] : out);
    if (out.length > 0) {
      queue.add(d.out(header, HEADER), d.out(given, out.length), d.in(answer, ANSWER));
    } else if (in > 0) {
      queue.add(d.out(header, HEADER), d.in(answer, ANSWER), d.in(data, in));
    } else {
      queue.add(d.out(header, HEADER), d.in(answer, ANSWER));
    }
    queue.kick();
    queue.await(1);
    ByteBuffer a = ByteBuffer.wrap(d.bytesAt(answer, ANSWER)).order(ByteOrder.LITTLE_ENDIAN);
    byte[] sense = Arrays.copyOfRange(a.array(), 12, 30);
    return new Result(a.get(11), a.get(10), a.getInt(4), sense, d.bytesAt(data, in));
  }

  private static byte[] cdb(int... bytes) {
    byte[] result = new byte[32];
    for (int i = 0; i < bytes.length; i++) {
      result[i] = (byte) bytes[i];
    }
    return result;
  }

  private Result in(GuestDriver d, int lun, int size, int... bytes) {
    return command(d, 0, lun, cdb(bytes), new byte[0], size);
  }

  private GuestDriver started(GuestDriver.Bus bus) throws Exception {
    GuestDriver d = driver(bus);
    d.start(0);
    queue = d.queue(2, 8);
    d.ready();
    return d;
  }

  private GuestDriver awake() throws Exception {
    GuestDriver d = started(GuestDriver.Bus.MMIO);
    for (int lun : new int[] {0, 300}) {
      assertThat(in(d, lun, 0, 0).senseText()).as("unit attention").isEqualTo("6/29");
      assertThat(in(d, lun, 0, 0).status()).isZero();
    }
    return d;
  }

  @ParameterizedTest
  @EnumSource(GuestDriver.Bus.class)
  void unitsTellWhatTheyAre(GuestDriver.Bus bus) throws Exception {
    GuestDriver d = started(bus);
    byte[] hd = in(d, 0, 36, 0x12, 0, 0, 0, 36).data();
    assertThat(new String(hd, 8, 28, StandardCharsets.US_ASCII)).isEqualTo("QEMU    QEMU HARDDISK   2.5+");
    assertThat(hd[0]).isZero();
    assertThat(in(d, 300, 36, 0x12, 0, 0, 0, 36).data()[0]).isEqualTo((byte) 5);
    assertThat(in(d, 7, 36, 0x12, 0, 0, 0, 36).data()[0]).as("no such unit").isEqualTo((byte) 0x7f);
    Result luns = in(d, 0, 64, 0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 64);
    assertThat(Arrays.copyOf(luns.data(), 24))
        .containsExactly(0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x41, 44, 0, 0, 0, 0, 0, 0);
    assertThat(luns.residual()).isEqualTo(40);
    assertThat(command(d, 9, 0, cdb(0), new byte[0], 0).response()).as("bad target").isEqualTo(3);
    assertThat(in(d, 7, 0, 0).senseText()).isEqualTo("5/25");
  }

  @Test
  void pagesOfVitalDataAndModesAreThere() throws Exception {
    GuestDriver d = awake();
    assertThat(Arrays.copyOf(in(d, 0, 64, 0x12, 1, 0, 0, 64).data(), 9))
        .containsExactly(0, 0, 0, 5, 0, 0x83, 0xb0, 0xb1, 0xb2);
    assertThat(new String(in(d, 0, 64, 0x12, 1, 0x83, 0, 64).data(), 8, 2, StandardCharsets.US_ASCII))
        .isEqualTo("hd");
    assertThat(in(d, 0, 64, 0x12, 1, 0xb2, 0, 64).data()[5]).isEqualTo((byte) 0xe0);
    assertThat(in(d, 0, 64, 0x12, 1, 0x80, 0, 64).senseText()).isEqualTo("5/24");
    byte[] mode = in(d, 0, 64, 0x1a, 0, 8, 0, 64).data();
    assertThat(mode[0]).isEqualTo((byte) 31);
    assertThat(mode[12]).isEqualTo((byte) 8);
    assertThat(mode[14] & 4).as("write cache").isEqualTo(4);
    byte[] list = Arrays.copyOfRange(mode, 0, 32);
    list[14] = 0;
    assertThat(command(d, 0, 0, cdb(0x15, 0x10, 0, 0, 32), list, 0).status()).isZero();
    assertThat(in(d, 0, 64, 0x1a, 0, 8, 0, 64).data()[14] & 4).isZero();
  }

  @Test
  void blocksAreWrittenReadZeroedAndDiscarded() throws Exception {
    GuestDriver d = awake();
    byte[] capacity = in(d, 0, 8, 0x25).data();
    assertThat(capacity).containsExactly(0, 0, 7, 0xff, 0, 0, 2, 0);
    byte[] content = new byte[4096];
    new Random(1).nextBytes(content);
    assertThat(command(d, 0, 0, cdb(0x2a, 0, 0, 0, 0, 16, 0, 0, 8), content, 0).status()).isZero();
    assertThat(in(d, 0, 4096, 0x28, 0, 0, 0, 0, 16, 0, 0, 8).data()).isEqualTo(content);
    assertThat(in(d, 0, 0, 0x35).status()).isZero();
    assertThat(in(d, 0, 512, 0x88, 0, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 0, 1).data())
        .isEqualTo(Arrays.copyOfRange(content, 512, 1024));
    assertThat(command(d, 0, 0, cdb(0x93, 8, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 4), new byte[512], 0).status())
        .isZero();
    byte[] after = in(d, 0, 4096, 0x28, 0, 0, 0, 0, 16, 0, 0, 8).data();
    assertThat(Arrays.copyOf(after, 2048)).isEqualTo(new byte[2048]);
    assertThat(Arrays.copyOfRange(after, 2048, 4096)).isEqualTo(Arrays.copyOfRange(content, 2048, 4096));
    byte[] unmap = ByteBuffer.allocate(24).putShort((short) 22).putShort((short) 16).putInt(0).putLong(20).putInt(2)
        .array();
    assertThat(command(d, 0, 0, cdb(0x42, 0, 0, 0, 0, 0, 0, 0, 24), unmap, 0).status()).isZero();
    Result outside = in(d, 0, 512, 0x28, 0, 0, 0, 8, 0, 0, 0, 1);
    assertThat(outside.senseText()).isEqualTo("5/21");
    assertThat(outside.residual()).isEqualTo(512);
    assertThat(in(d, 0, 0, 0xff).senseText()).isEqualTo("5/20");
  }

  @Test
  void aDriveReadsItsDiscAndWritesNothing() throws Exception {
    GuestDriver d = awake();
    assertThat(in(d, 300, 8, 0x25).data()).containsExactly(0, 0, 1, 0xff, 0, 0, 8, 0);
    assertThat(in(d, 300, 2048, 0x28, 0, 0, 0, 0, 3, 0, 0, 1).status()).isZero();
    assertThat(command(d, 0, 300, cdb(0x2a, 0, 0, 0, 0, 0, 0, 0, 1), new byte[2048], 0).status()).isEqualTo(2);
    assertThat(in(d, 300, 20, 0x43, 0, 0, 0, 0, 0, 0, 0, 20).data()[3]).as("last track").isEqualTo((byte) 1);
  }

  @Test
  void aUnitOfAnotherSizeIsAnEvent() throws Exception {
    GuestDriver d = driver(GuestDriver.Bus.MMIO);
    d.start(1 << 2);
    GuestDriver.Queue events = d.queue(1, 8);
    queue = d.queue(2, 8);
    d.ready();
    long event = d.alloc(16);
    events.add(d.in(event, 16));
    events.kick();
    VirtioScsi scsi = (VirtioScsi) d.device;
    Drive drive = new Drive("hd", disk);
    ScsiDisk unit = new ScsiDisk("x", drive, ScsiDiskOptions.DISK);
    drive.attach(unit);
    scsi.plug(unit, 3, 258);
    assertThat(command(d, 3, 258, cdb(0), new byte[0], 0).senseText()).isEqualTo("6/29");
    drive.resize(2 * SIZE);
    events.await(1);
    assertThat(d.bytesAt(event, 16)).containsExactly(3, 0, 0, 0, 1, 3, 0x41, 2, 0, 0, 0, 0, 0x2a, 9, 0, 0);
    assertThat(command(d, 3, 258, cdb(0), new byte[0], 0).senseText()).isEqualTo("6/2a");
    drive.resize(SIZE);
    events.add(d.in(event, 16));
    drive.resize(2 * SIZE);
    events.await(1);
    assertThat(d.bytesAt(event, 16)[3]).as("one was missed").isEqualTo((byte) 0x80);
  }

  @Test
  void aUnitThatComesOrGoesIsAnEvent() throws Exception {
    GuestDriver d = driver(GuestDriver.Bus.MMIO);
    d.start(1 << 1);
    GuestDriver.Queue events = d.queue(1, 8);
    queue = d.queue(2, 8);
    d.ready();
    long event = d.alloc(16);
    events.add(d.in(event, 16));
    events.kick();
    VirtioScsi scsi = (VirtioScsi) d.device;
    ScsiDisk unit = new ScsiDisk("x", disk, ScsiDiskOptions.DISK);
    scsi.plug(unit, 3, 258);
    events.await(1);
    assertThat(d.bytesAt(event, 16)).containsExactly(1, 0, 0, 0, 1, 3, 0x41, 2, 0, 0, 0, 0, 1, 0, 0, 0);
    assertThat(command(d, 3, 258, cdb(0), new byte[0], 0).senseText()).isEqualTo("6/29");
    events.add(d.in(event, 16));
    events.kick();
    scsi.unplug(unit);
    events.await(1);
    assertThat(d.bytesAt(event, 16)).containsExactly(1, 0, 0, 0, 1, 3, 0x41, 2, 0, 0, 0, 0, 2, 0, 0, 0);
    assertThat(command(d, 3, 258, cdb(0), new byte[0], 0).response()).as("bad target").isEqualTo(3);
    assertThatThrownBy(() -> unit.execute(cdb(0), null)).as("late").isSameAs(SenseException.NO_SUCH_UNIT);
    scsi.plug(new ScsiDisk("y", disk, ScsiDiskOptions.DISK), 3, 258);
    assertThat(command(d, 3, 258, cdb(0), new byte[0], 0).senseText()).isEqualTo("6/29");
  }

  @Test
  void aDiskIsWhatItsPropertiesSay() throws Exception {
    GuestDriver d = awake();
    Map<String, String> given = new HashMap<>(Map.of("wwn", "0x5000c50015ea71ac", "port_wwn", "0x5000c50015ea71ad",
        "port_index", "2", "rotation_rate", "7200", "scsi_version", "4", "max_io_size", "524288", "dpofua", "on",
        "device_id", "name", "serial", "S1"));
    given.putAll(Map.of("physical_block_size", "4k", "min_io_size", "8k", "opt_io_size", "64k", "max_unmap_size",
        "2097152", "discard_granularity", "16k"));
    ((VirtioScsi) d.device).plug(new ScsiDisk("x", disk, options(given, "drive")), 0, 5);
    in(d, 5, 0, 0);
    HexFormat hex = HexFormat.of();
    assertThat(in(d, 5, 36, 0x12, 0, 0, 0, 36).data()[2]).as("version").isEqualTo((byte) 4);
    assertThat(hex.formatHex(in(d, 5, 48, 0x12, 1, 0x83, 0, 48).data())).isEqualTo("00830028"
        + "020000046e616d65" + "010300085000c50015ea71ac" + "619300085000c50015ea71ad"
        + "6194000400000002" + "00000000");
    assertThat(hex.formatHex(in(d, 5, 48, 0x12, 1, 0xb0, 0, 48).data())).isEqualTo("00b0003c" + "01000010"
        + "00000400" + "00000080" + "00000000" + "00001000" + "000000ff" + "00000020" + "00000000"
        + "0000000000000400" + "00000000");
    assertThat(hex.formatHex(in(d, 5, 8, 0x12, 1, 0xb1, 0, 8).data())).isEqualTo("00b1003c1c200000");
    assertThat(in(d, 5, 16, 0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16).data()[13]).isEqualTo((byte) 3);
    assertThat(in(d, 5, 4, 0x1a, 0, 8, 0, 4).data()[2]).as("writes can be forced").isEqualTo((byte) 0x10);
    assertThat(in(d, 0, 4, 0x1a, 0, 8, 0, 4).data()[2]).isZero();
    assertThat(command(d, 0, 5, cdb(0x41, 0, 0, 0, 0, 0, 0, 4, 1), new byte[512], 0).senseText())
        .as("more than max_io_size").isEqualTo("5/24");
    ScsiDiskOptions thick = options(Map.of("discard_granularity", "0"), "drive");
    assertThat(thick.names().device()).isEqualTo("drive");
    ((VirtioScsi) d.device).plug(new ScsiDisk("y", disk, thick), 0, 6);
    in(d, 6, 0, 0);
    assertThat(in(d, 6, 16, 0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16).data()[14]).isZero();
  }

  @Test
  void aRemovableDiskIsEjected() throws Exception {
    GuestDriver d = awake();
    assertThat(in(d, 0, 36, 0x12, 0, 0, 0, 36).data()[1]).as("not removable").isZero();
    ScsiDisk stick = new ScsiDisk("stick", new Drive("hd", disk), options(Map.of("removable", "on"), "drive"));
    ((VirtioScsi) d.device).plug(stick, 0, 5);
    in(d, 5, 8, 0x00);
    assertThat(in(d, 5, 36, 0x12, 0, 0, 0, 36).data()).startsWith(0, 0x80);
    assertThat(in(d, 5, 8, 0x1e, 0, 0, 0, 1).status()).isZero();
    assertThat(in(d, 5, 8, 0x1b, 0, 0, 0, 2).senseText()).as("locked").isEqualTo("5/53");
    in(d, 5, 8, 0x1e, 0, 0, 0, 0);
    assertThat(in(d, 5, 8, 0x1b, 0, 0, 0, 2).status()).isZero();
    assertThat(stick.trayOpen()).isTrue();
    in(d, 5, 8, 0x00);
    byte[] write = cdb(0x2a, 0, 0, 0, 0, 0, 0, 0, 1);
    assertThat(command(d, 0, 5, write, new byte[512], 0).senseText()).as("no medium").isEqualTo("2/3a");
    in(d, 5, 8, 0x1b, 0, 0, 0, 3);
    in(d, 5, 8, 0x00);
    assertThat(command(d, 0, 5, write, new byte[512], 0).status()).isZero();
  }

  @Test
  void aDriveOpensItsTrayForTheGuestAndForTheHost() throws Exception {
    GuestDriver d = awake();
    VirtioScsi scsi = (VirtioScsi) d.device;
    Drive drive = new Drive("cd", disk);
    ScsiDisk tray = new ScsiDisk("tray", drive, ScsiDiskOptions.CD);
    scsi.plug(tray, 0, 5);
    assertThat(in(d, 5, 8, 0x00).senseText()).as("reset").isEqualTo("6/29");
    assertThat(in(d, 5, 8, 0x00).status()).isZero();
    assertThat(in(d, 5, 8, 0x1e, 0, 0, 0, 1).status()).isZero();
    assertThat(tray.locked()).isTrue();
    assertThat(in(d, 5, 8, 0x1b, 0, 0, 0, 2).senseText()).as("locked").isEqualTo("5/53");
    tray.ejectRequested();
    assertThat(in(d, 5, 8, 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8).data()).containsExactly(0, 6, 4, 0x10, 1, 2, 0, 0);
    assertThat(in(d, 5, 8, 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8).data()[4]).as("said once").isZero();
    assertThat(in(d, 5, 8, 0x1e, 0, 0, 0, 0).status()).isZero();
    assertThat(in(d, 5, 8, 0x1b, 0, 0, 0, 2).status()).isZero();
    assertThat(tray.trayOpen()).isTrue();
    assertThat(in(d, 5, 8, 0x00).senseText()).isEqualTo("6/28");
    assertThat(in(d, 5, 8, 0x00).senseText()).isEqualTo("2/3a");
    assertThat(in(d, 5, 8, 0x25).senseText()).isEqualTo("2/3a");
    assertThat(in(d, 5, 8, 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8).data()).containsExactly(0, 6, 4, 0x10, 3, 1, 0, 0);
    tray.trayMoved(false);
    assertThat(in(d, 5, 8, 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8).data()).containsExactly(0, 6, 4, 0x10, 2, 2, 0, 0);
    assertThat(in(d, 5, 8, 0x25).senseText()).isEqualTo("6/28");
    assertThat(in(d, 5, 8, 0x25).status()).isZero();
    drive.replace(Optional.empty());
    assertThat(in(d, 5, 8, 0x00).senseText()).isEqualTo("2/3a");
  }

  @Test
  void aFullDiskOfTheHostStopsTheMachineUntilThereIsRoom() throws Exception {
    GuestDriver d = driver(GuestDriver.Bus.MMIO);
    d.machine.start(false);
    d.start(0);
    queue = d.queue(2, 8);
    d.ready();
    AtomicBoolean full = new AtomicBoolean(true);
    BlockNode node =
        new FilterNode(disk) {
          @Override
          public void write(long offset, ByteBuffer source) throws BlockException {
            if (full.get()) {
              throw BlockException.noSpace("disk: write", new IOException());
            }
            super.write(offset, source);
          }
        };
    ScsiDisk unit = new ScsiDisk("x", node, ScsiDiskOptions.DISK);
    ((VirtioScsi) d.device).plug(unit, 0, 9);
    unit.restore(false, true);
    d.machine.addStateListener(
        state -> {
          if (state == RunState.IO_ERROR) {
            full.set(false);
            Thread.ofPlatform().start(d.machine::resume);
          } else if (state == RunState.RUNNING) {
            d.device.resumed();
          }
        });
    byte[] block = new byte[512];
    Arrays.fill(block, (byte) 5);
    assertThat(command(d, 0, 9, cdb(0x2a, 0, 0, 0, 0, 1, 0, 0, 1), block, 0).status()).isZero();
    assertThat(full).as("the machine stopped").isFalse();
    ByteBuffer there = ByteBuffer.allocate(512);
    disk.read(512, there);
    assertThat(there.array()).isEqualTo(block);
  }

  @Test
  void anEmptyDriveWaitsForAMedium() throws Exception {
    GuestDriver d = awake();
    Drive drive = new Drive("cd");
    ScsiDisk tray = new ScsiDisk("tray", drive, ScsiDiskOptions.CD);
    ((VirtioScsi) d.device).plug(tray, 0, 5);
    assertThat(in(d, 5, 8, 0x00).senseText()).as("reset").isEqualTo("6/29");
    assertThat(in(d, 5, 8, 0x00).senseText()).isEqualTo("2/3a");
    assertThat(in(d, 5, 8, 0x25).senseText()).isEqualTo("2/3a");
    drive.replace(Optional.of(disk));
    tray.trayMoved(false);
    assertThat(in(d, 5, 8, 0x25).senseText()).isEqualTo("6/28");
    assertThat(in(d, 5, 8, 0x25).status()).isZero();
  }

  @Test
  void placesThatAreTakenOrOutOfRangeAreRefused() throws Exception {
    VirtioScsi scsi = (VirtioScsi) driver(false).device;
    ScsiDisk unit = new ScsiDisk("x", disk, ScsiDiskOptions.DISK);
    assertThatThrownBy(() -> scsi.plug(unit, 0, 300))
        .isInstanceOf(DeviceException.class)
        .hasMessageContaining("lun 300");
    assertThatThrownBy(() -> scsi.plug(unit, 256, 0)).hasMessageContaining("256");
    assertThatThrownBy(() -> scsi.plug(unit, 1, 20000)).hasMessageContaining("20000");
  }
}
