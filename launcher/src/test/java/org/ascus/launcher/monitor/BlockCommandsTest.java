package org.ascus.launcher.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.ascus.devices.block.Drive;
import org.ascus.devices.block.filter.Filter;
import org.ascus.devices.block.filter.ThrottleGroup;
import org.ascus.devices.block.filter.ThrottleLimits;
import org.ascus.devices.block.format.ImageOptions;
import org.ascus.devices.board.riscv.Firmware;
import org.ascus.polyglot.Accelerator;
import org.ascus.polyglot.DriveOptions;
import org.ascus.polyglot.Vm;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class BlockCommandsTest {
  private static final int SIZE = 1 << 20;

  @TempDir private Path dir;
  private Vm vm;
  private Commands commands;

  private DriveOptions drive(String id, boolean readOnly) throws Exception {
    Path file = image(id, SIZE);
    return new DriveOptions("-drive " + id, id, false,
        ImageOptions.named(file.toString(), "raw", readOnly, false, true));
  }

  private DriveOptions throttled(String id) throws Exception {
    Map<String, Long> limits = Map.of("iops-total", 1_000_000L, "iops-total-max", 2_000_000L, "bps-read", 1L << 40);
    ThrottleGroup group = new ThrottleGroup(ThrottleLimits.read(limits::getOrDefault));
    DriveOptions plain = drive(id, false);
    return new DriveOptions(plain.option(), id, false, plain.image().withFilter(new Filter.Throttle(group)));
  }

  @Test
  void limitsAreShown() {
    assertThat(commands.execute("info block sd")).endsWith("    I/O throttling:   bps=0 bps_rd=1099511627776 bps_wr=0 "
        + "bps_max=0 bps_rd_max=0 bps_wr_max=0 iops=1000000 iops_rd=0 iops_wr=0 iops_max=2000000 iops_rd_max=0 "
        + "iops_wr_max=0 iops_size=0 group=sd\n");
    assertThat(commands.execute("info block hd")).doesNotContain("throttling");
  }

  private Path image(String name, int size) throws IOException {
    return Files.write(dir.resolve(name + ".img"), new byte[size]);
  }

  @BeforeEach
  void makeMachine() throws Exception {
    vm =
        Vm.builder()
            .memory(16 << 20)
            .accelerator(Accelerator.INTERPRETER)
            .bios(new Firmware.Bytes("test", new byte[] {0x6f, 0, 0, 0}))
            .drive(drive("hd", false))
            .drive(drive("cd", true))
            .drive(throttled("sd"))
            .device("virtio-blk-device", Map.of("drive", "hd"))
            .device("virtio-scsi-device", Map.of())
            .device("scsi-cd", Map.of("drive", "cd"))
            .device("scsi-hd", Map.of("drive", "sd"))
            .build();
    commands = new Commands(vm, "", new TestChardevs());
  }

  @AfterEach
  void endMachine() throws Exception {
    vm.close();
  }

  @Test
  void mediaAreTakenOutAndPutIn() throws Exception {
    assertThat(commands.execute("info block")).contains("cd: " + dir.resolve("cd.img") + " (raw, read-only)\n"
        + "    Attached to:      scsi-cd.0\n    Removable device: not locked, tray closed\n"
        + "    Cache mode:       writeback\n");
    assertThat(commands.execute("eject cd")).isEmpty();
    assertThat(commands.execute("info block"))
        .contains("cd: [not inserted]\n    Attached to:      scsi-cd.0\n    Removable device: not locked, tray open\n");
    Path other = image("other", 4096);
    assertThat(commands.execute("change cd " + other)).isEmpty();
    assertThat(commands.execute("info block")).contains(other + " (raw, read-only)\n", "tray closed");
    assertThat(commands.execute("change cd /nonexistent")).startsWith("Error: Could not open '/nonexistent'");
    assertThat(commands.execute("change cd " + other + " qcow2")).startsWith("Error: ").contains("not a qcow2 image");
    assertThat(vm.drives().get("cd").size()).as("what was there stays").isEqualTo(4096);
    assertThat(commands.execute("eject hd")).isEqualTo("Error: Device 'hd' is not removable\n");
    assertThat(commands.execute("eject nosuch")).isEqualTo("Error: Device 'nosuch' not found\n");
    assertThat(commands.execute("eject")).startsWith("Error: ");
  }

  @Test
  void oneDriveIsShownWithItsImagesAndNoOther() {
    Path hd = dir.resolve("hd.img");
    assertThat(commands.execute("info block -v hd")).startsWith("hd: " + hd + " (raw)\n").contains("\nImages:\nimage: "
        + hd + "\nfile format: raw\nvirtual size: ").doesNotContain("cd.img");
    assertThat(commands.execute("info block nosuch")).isEmpty();
    assertThat(commands.execute("info block -n")).isEqualTo("Error: unsupported option -n\n");
    assertThat(commands.execute("info block hd cd")).startsWith("Error: ");
  }

  @Test
  void aResizedDiskHasItsNewSize() throws Exception {
    assertThat(commands.execute("block_resize hd 3")).isEmpty();
    assertThat(commands.execute("block_resize sd 2M")).isEmpty();
    assertThat(Files.size(dir.resolve("hd.img"))).isEqualTo(3 << 20);
    assertThat(vm.drives().get("sd").size()).isEqualTo(2 << 20);
    assertThat(commands.execute("block_resize hd 100B")).startsWith("Error: ");
    assertThat(commands.execute("block_resize cd 2M")).startsWith("Error: ");
    assertThat(commands.execute("block_resize hd")).startsWith("Error: ");
  }

  @Test
  void theServerInTheMachineOffersDisks() throws Exception {
    assertThat(commands.execute("nbd_server_add hd")).isEqualTo("Error: NBD server not running\n");
    assertThat(commands.execute("nbd_server_start localhost:0")).isEmpty();
    assertThat(commands.execute("nbd_server_start localhost:0")).isEqualTo("Error: NBD server already running\n");
    assertThat(commands.execute("nbd_server_add -w hd disk")).isEmpty();
    assertThat(commands.execute("nbd_server_add cd")).isEmpty();
    assertThat(commands.execute("nbd_server_add -w cd x")).isEqualTo("Error: Block node 'cd' is read-only\n");
    assertThat(commands.execute("nbd_server_add cd")).contains("already has export named 'cd'");
    assertThat(commands.execute("nbd_server_add nosuch")).contains("nosuch");
    int port = ((InetSocketAddress) vm.exports().address().orElseThrow()).getPort();
    Drive disk = vm.drives().get("hd");
    try (var client = ImageOptions.named("nbd://localhost:" + port + "/disk", "raw", false, false, true).open()) {
      disk.write(512, ByteBuffer.wrap("from the guest's side".getBytes()));
      ByteBuffer got = ByteBuffer.allocate(21);
      client.read(512, got);
      assertThat(new String(got.array())).isEqualTo("from the guest's side");
      client.write(0, ByteBuffer.wrap(new byte[] {42}));
      disk.read(0, got.clear().limit(1));
      assertThat(got.get(0)).isEqualTo((byte) 42);
    }
    if (Files.isExecutable(Path.of("/usr/bin/qemu-img"))) {
      Process info = new ProcessBuilder("qemu-img", "info", "nbd://localhost:" + port + "/cd").start();
      assertThat(new String(info.getInputStream().readAllBytes())).contains("virtual size: 1 MiB");
    }
    assertThat(commands.execute("nbd_server_remove cd")).isEmpty();
    assertThat(commands.execute("nbd_server_remove cd")).contains("not found");
    assertThat(commands.execute("nbd_server_stop")).isEmpty();
    assertThat(commands.execute("nbd_server_stop")).isEqualTo("Error: NBD server not running\n");
    assertThat(commands.execute("nbd_server_start -a unix:" + dir.resolve("s"))).isEmpty();
    assertThat(commands.execute("nbd_server_start nowhere")).startsWith("Error: ");
  }
}
