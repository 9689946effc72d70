package org.ascus.devices.virtio.p9;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.ascus.devices.fs.FolderOptions;
import org.ascus.devices.fs.SharedFolder;
import org.ascus.devices.fs.p9.P9Client;
import org.ascus.devices.virtio.GuestDriver;
import org.ascus.devices.virtio.GuestDriver.Bus;
import org.ascus.devices.virtio.VirtioContract;
import org.ascus.devices.virtio.VirtioDevice;
import org.ascus.devices.virtio.VirtioHost;
import org.ascus.devices.virtio.VirtioStatus;
import org.ascus.machine.device.DeviceException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class VirtioP9Test extends VirtioContract {
  private static final int VERSION = 100;
  private static final int ATTACH = 104;
  private static final int MKDIR = 72;

  @TempDir Path shared;
  private String tag = "tag";

  @BeforeEach
  void needsLinux() {
    assumeTrue(System.getProperty("os.name").equals("Linux"), "shared folders need Linux");
  }

  @Override
  protected VirtioDevice device(VirtioHost host) throws Exception {
    var options =
        new FolderOptions(shared, FolderOptions.Model.NONE, false, 0600, 0700, FolderOptions.Devices.WARN);
    SharedFolder folder = SharedFolder.open(options);
    try {
      return new VirtioP9("fs0", host, folder, tag);
    } catch (DeviceException e) {
      folder.close();
      throw e;
    }
  }

  @Override
  protected int workQueue() {
    return 0;
  }

  @Override
  protected boolean writesWorkQueue() {
    return false;
  }

  private static int call(GuestDriver d, GuestDriver.Queue q, byte[] message) {
    long request = d.bytes(message);
    long answer = d.alloc(4096);
    q.add(d.out(request, 7), d.out(request + 7, message.length - 7), d.in(answer, 11), d.in(answer + 11, 4000));
    q.kick();
    long length = q.await(1).getFirst();
    assertThat(d.get(answer, 4)).isEqualTo(length);
    return (int) d.get(answer + 4, 1);
  }

  @ParameterizedTest
  @EnumSource(Bus.class)
  void requestsAreAnsweredInTheirBuffers(Bus bus) throws Exception {
    GuestDriver d = driver(bus);
    d.start(1);
    GuestDriver.Queue q = d.queue(0, 16);
    d.ready();
    assertThat(call(d, q, P9Client.message(VERSION, 8192, "9P2000.L"))).isEqualTo(VERSION + 1);
    assertThat(call(d, q, P9Client.message(ATTACH, 0, -1, "", "", 0))).isEqualTo(ATTACH + 1);
    assertThat(call(d, q, P9Client.message(MKDIR, 0, "d", 0700, 0))).isEqualTo(MKDIR + 1);
    assertThat(shared.resolve("d")).isDirectory();
    d.write(0x70, 0);
    d.start(1);
    q = d.queue(0, 16);
    d.ready();
    assertThat(call(d, q, P9Client.message(ATTACH, 0, -1, "", "", 0))).as("after a reset").isEqualTo(7);
  }

  @Test
  void theTagIsInTheConfigurationSpace() throws Exception {
    GuestDriver d = driver(false);
    assertThat(d.device.readConfig(0, 2)).isEqualTo(3);
    byte[] text = new byte[] {(byte) d.get(GuestDriver.SLOT + 0x102, 1), (byte) d.get(GuestDriver.SLOT + 0x103, 1)};
    assertThat(new String(text, StandardCharsets.US_ASCII)).isEqualTo("ta");
    tag = "t".repeat(40);
    assertThatThrownBy(() -> driver(false)).isInstanceOf(DeviceException.class).hasMessageContaining("1 to 31");
  }

  @Test
  void aRequestWithoutRoomForAnAnswerBreaksTheDevice() throws Exception {
    GuestDriver d = driver(false);
    d.start(1);
    GuestDriver.Queue q = d.queue(0, 16);
    d.ready();
    long request = d.bytes(P9Client.message(VERSION, 8192, "9P2000.L"));
    q.add(d.out(request, 21), d.in(request + 64, 10));
    q.kick();
    d.device.quiesce();
    assertThat(d.read(0x70) & VirtioStatus.NEEDS_RESET).isNotZero();
    assertThat(Files.list(shared)).isEmpty();
  }
}
