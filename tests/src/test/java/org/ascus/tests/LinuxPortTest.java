package org.ascus.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.ascus.tests.support.Host;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A stock Linux guest with a virtserialport finds it by its name and sees who comes and goes at the host's end. */
class LinuxPortTest {
  private static final Duration BOOT = Duration.ofMinutes(5);
  private static final Duration SOON = Duration.ofMinutes(1);

  /** Linux ends a read at once while the host's end is closed, and when it closes; a port that closes drops input. */
  private static final String SCRIPT =
      "P=/dev/vport0p1; cat /sys/class/virtio-ports/vport0p1/name; exec 3<$P; cat <&3; echo NOBODY;"
          + " until read l <&3; do usleep 100000; done; echo GOT $l; cat <&3; echo GONE";

  @TempDir Path folder;

  @Test
  void theHostsEndOpensAndCloses() throws Exception {
    Path guest = Host.requireRiscv64Guest();
    Path socket = folder.resolve("port");
    var arguments = new ArrayList<String>();
    arguments.addAll(List.of("-M", "virt", "-m", "256M", "-nographic", "-no-reboot"));
    arguments.addAll(List.of("-bios", guest.resolve("fw/fw_dynamic.bin").toString()));
    arguments.addAll(List.of("-kernel", guest.resolve("Image").toString()));
    arguments.addAll(List.of("-initrd", guest.resolve("initramfs.cpio.gz").toString()));
    arguments.addAll(List.of("-append", "console=ttyS0 quiet guest.mods=none guest.run=\"" + SCRIPT + "\""));
    arguments.addAll(List.of("-chardev", "socket,id=c,path=" + socket + ",server=on,wait=off"));
    arguments.addAll(List.of("-device", "virtio-serial-pci", "-device", "virtserialport,chardev=c,name=org.test.0"));
    try (var console = Host.startAscus(arguments)) {
      assertThat(console.expect("NOBODY", BOOT)).contains("org.test.0");
      try (SocketChannel peer = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
        peer.write(ByteBuffer.wrap("hello\n".getBytes(StandardCharsets.US_ASCII)));
        console.expect("GOT hello", SOON);
      }
      console.expect("GONE", SOON);
      assertThat(console.awaitExit(SOON)).isZero();
    }
  }
}
