package org.ascus.launcher.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.ascus.devices.board.riscv.Firmware;
import org.ascus.devices.chardev.RingChardev;
import org.ascus.devices.chardev.socket.SocketChardev;
import org.ascus.devices.chardev.socket.SocketOptions;
import org.ascus.devices.net.NetFilter.Direction;
import org.ascus.devices.net.user.UserNetOptions;
import org.ascus.machine.run.RunState;
import org.ascus.machine.run.ShutdownReason;
import org.ascus.machine.trace.Log;
import org.ascus.polyglot.Accelerator;
import org.ascus.polyglot.HostObject;
import org.ascus.polyglot.HostObject.FilterKind;
import org.ascus.polyglot.LifeOptions;
import org.ascus.polyglot.NetdevOptions;
import org.ascus.polyglot.Vm;
import org.ascus.polyglot.VmException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class CommandsTest {
  @TempDir private Path dir;

  /** addi a0, a0, 1; j back to it. */
  private static final byte[] COUNT_FOREVER = {0x13, 0x05, 0x15, 0, 0x6f, (byte) 0xf0, (byte) 0xdf, (byte) 0xff};

  private final TestChardevs chardevs = new TestChardevs();
  private Vm vm;
  private Commands commands;

  @BeforeEach
  void makeMachine() throws VmException {
    vm =
        Vm.builder()
            .memory(16 << 20)
            .smp(2)
            .accelerator(Accelerator.INTERPRETER)
            .bios(new Firmware.Bytes("test", COUNT_FOREVER))
            .device("virtio-rng-device", Map.of())
            .device("virtio-balloon-device", Map.of())
            .device("virtio-keyboard-device", Map.of())
            .device("virtio-tablet-pci", Map.of())
            .netdev(new NetdevOptions.User("-netdev user,id=net0", "net0", UserNetOptions.DEFAULT))
            .netdev(datagrams())
            .object(filter("dump", Direction.ALL, true, new FilterKind.Dump(dir.resolve("pcap"), 65536)))
            .object(filter("slow", Direction.TX, false, new FilterKind.Buffer(1000)))
            .device("virtio-net-device", Map.of("netdev", "net0"))
            .device("virtio-net-pci", Map.of())
            .life(new LifeOptions(true, false, false))
            .build();
    commands = new Commands(vm, "guest7", chardevs);
    vm.start();
  }

  private static NetdevOptions datagrams() {
    InetSocketAddress here = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    InetSocketAddress there = new InetSocketAddress(InetAddress.getLoopbackAddress(), 9);
    return new NetdevOptions.Datagram("-netdev socket,id=udp0", "udp0", "socket", Optional.of(here), there);
  }

  private static HostObject filter(String id, Direction direction, boolean on, FilterKind kind) {
    return new HostObject.Filter("-object", id, "net0", direction, on, kind);
  }

  /** What {@code info network} says of the first card's network. */
  private String network() {
    return " \\ net0: index=0,type=user,net=10.0.2.0,restrict=off\nfilters:\n  - dump: type=filter-dump,file="
        + dir.resolve("pcap") + ",maxlen=65536,position=tail,status=on,insert=behind,netdev=net0,queue=all\n"
        + "  - slow: type=filter-buffer,interval=1000,position=tail,status=off,insert=behind,netdev=net0,queue=rx\n";
  }

  @AfterEach
  void endMachine() throws VmException {
    vm.close();
  }

  @Test
  void stopAndContSetTheState() {
    assertThat(commands.execute("info status")).isEqualTo("VM status: paused (prelaunch)\n");
    assertThat(commands.execute("c")).isEmpty();
    assertThat(commands.execute("info status")).isEqualTo("VM status: running\n");
    assertThat(commands.execute("stop")).isEmpty();
    assertThat(commands.execute("info status")).isEqualTo("VM status: paused\n");
  }

  @Test
  void channelsComeAndGo() {
    assertThat(commands.execute("chardev-add null,id=added")).isEmpty();
    assertThat(commands.execute("chardev-add foo,id=x")).isEqualTo("Error: 'foo' is not a valid char driver name\n");
    assertThat(commands.execute("chardev-change added file,path=x")).isEmpty();
    assertThat(commands.execute("chardev-send-break added")).isEmpty();
    assertThat(commands.execute("chardev-remove added")).isEmpty();
    assertThat(commands.execute("chardev-remove")).startsWith("Error: ");
    assertThat(chardevs.asked)
        .containsExactly(
            "add null,id=added", "add foo,id=x", "change added to file,path=x", "break added", "remove added");
  }

  @Test
  void ringBuffersAreReadAndWritten() {
    assertThat(commands.execute("info chardev")).isEqualTo("ring: filename=ringbuf\n");
    assertThat(commands.execute("ringbuf_write ring a\\b\tc")).isEmpty();
    assertThat(commands.execute("ringbuf_read ring 3")).isEqualTo("a\\\\b\n");
    assertThat(commands.execute("ringbuf_read ring 100")).isEqualTo(" c\n");
    assertThat(commands.execute("ringbuf_write ring 0123456789abcdefXYZ")).isEmpty();
    assertThat(commands.execute("ringbuf_read ring 100")).as("the last 16").isEqualTo("3456789abcdefXYZ\n");
    assertThat(commands.execute("ringbuf_read nosuch 1")).isEqualTo("Error: Device 'nosuch' not found\n");
    assertThat(commands.execute("ringbuf_read ring 0")).startsWith("Error: ");
  }

  @Test
  void networksComeAndGo() {
    assertThat(commands.execute("netdev_add user,id=net1,net=10.9.0.0/24")).isEmpty();
    assertThat(commands.execute("info network")).contains("net1: index=0,type=user,net=10.9.0.0");
    assertThat(commands.execute("netdev_add user,id=net1")).isEqualTo("Error: Duplicate ID 'net1' for netdev\n");
    assertThat(commands.execute("netdev_add user,id=net2,foo=1")).contains("Invalid parameter 'foo'");
    assertThat(commands.execute("netdev_del net1")).isEmpty();
    assertThat(commands.execute("netdev_del net1")).isEqualTo("Error: Device 'net1' not found\n");
    assertThat(commands.execute("netdev_del net0")).isEmpty();
    assertThat(commands.execute("info network")).contains("link=off");
    assertThat(commands.execute("set_link virtio-net-device.0 on")).isEmpty();
    assertThat(commands.execute("info network")).as("its cable leads nowhere any more").contains("link=off");
  }

  @Test
  void theBalloonIsShownAndSet() {
    assertThat(commands.execute("info balloon")).isEqualTo("balloon: actual=16\n");
    assertThat(commands.execute("balloon 8")).isEmpty();
    assertThat(commands.execute("info balloon")).as("the guest has no driver").isEqualTo("balloon: actual=16\n");
    assertThat(commands.execute("balloon x")).startsWith("Error: ");
  }

  @Test
  void keysAndPointersAreNamed() {
    assertThat(commands.execute("sendkey ctrl-alt-f1")).isEmpty();
    assertThat(commands.execute("sendkey a 5")).isEmpty();
    assertThat(commands.execute("sendkey 0x1e")).isEmpty();
    assertThat(commands.execute("sendkey nosuch")).isEqualTo("Error: invalid parameter: nosuch\n");
    assertThat(commands.execute("sendkey a 0")).contains("'0' is not a number from 1");
    assertThat(commands.execute("mouse_move 100 200 -1")).isEmpty();
    assertThat(commands.execute("mouse_button 5")).isEmpty();
    assertThat(commands.execute("mouse_button 8")).startsWith("Error: ");
    assertThat(commands.execute("info mice")).isEqualTo("* Mouse #0: QEMU Virtio Tablet (absolute)\n");
  }

  @Test
  void networksAreShownAndChanged() {
    assertThat(commands.execute("info network"))
        .isEqualTo(
            "udp0: index=0,type=socket,socket: udp=127.0.0.1:9\n"
                + "virtio-net-device.0: index=0,type=nic,model=virtio-net-device,macaddr=52:54:00:12:34:56\n"
                + network()
                + "virtio-net-pci.0: index=0,type=nic,model=virtio-net-pci,macaddr=52:54:00:12:34:57\n");
    assertThat(commands.execute("set_link net0 off")).isEmpty();
    assertThat(commands.execute("info network")).contains(",link=off");
    assertThat(commands.execute("set_link virtio-net-device.0 on")).isEmpty();
    assertThat(commands.execute("set_link nosuch on")).contains("'nosuch'");
    assertThat(commands.execute("hostfwd_add tcp:127.0.0.1:0-:22")).isEmpty();
    assertThat(commands.execute("info usernet")).startsWith("Hub -1 (net0):\n"
        + "  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ\n"
        + "  TCP[HOST_FORWARD]  -1       127.0.0.1 ").endsWith("       10.0.2.15    22     0     0\n");
    assertThat(commands.execute("hostfwd_add nosuch tcp::0-:22")).contains("'nosuch'");
    assertThat(commands.execute("hostfwd_add tcp:x")).contains("'tcp:x'");
    assertThat(commands.execute("hostfwd_remove udp::9")).isEqualTo("host forwarding rule for udp::9 not found\n");
  }

  @Test
  void hubsAreShownWithTheirPorts() {
    assertThat(commands.execute("netdev_add hubport,id=h0,hubid=3,netdev=net0")).startsWith("Error: ");
    assertThat(commands.execute("netdev_add user,id=net1,net=10.9.0.0/24")).isEmpty();
    assertThat(commands.execute("netdev_add hubport,id=h1,hubid=3,netdev=net1")).isEmpty();
    assertThat(commands.execute("netdev_add hubport,id=h2,hubid=3")).isEmpty();
    assertThat(commands.execute("info network"))
        .isEqualTo(
            "hub 3\n \\ h2\n \\ h1: net1: index=0,type=user,net=10.9.0.0,restrict=off\n"
                + "udp0: index=0,type=socket,socket: udp=127.0.0.1:9\n"
                + "virtio-net-device.0: index=0,type=nic,model=virtio-net-device,macaddr=52:54:00:12:34:56\n"
                + network()
                + "virtio-net-pci.0: index=0,type=nic,model=virtio-net-pci,macaddr=52:54:00:12:34:57\n");
  }

  @Test
  void devicesAreShownOnTheirBuses() {
    String tree = commands.execute("info qtree");
    assertThat(tree)
        .startsWith("bus: main-system-bus\n  type System\n  dev: ")
        .contains(
            "    bus: virtio-mmio-bus.7\n      type virtio-mmio-bus\n"
                + "      dev: virtio-rng-device, id \"virtio-rng-device.0\"\n        ",
            "\n    bus: pcie.0\n      type PCIE\n      dev: gpex-root, id \"pcie.0.root\"\n",
            "\n      dev: virtio-net-pci, id \"virtio-net-pci.0\"\n",
            "\n        bus: virtio-bus\n          type virtio-pci-bus\n"
                + "          dev: virtio-net-device, id \"virtio-net-pci.0\"\n            ");
    assertThat(tree.lines().filter(line -> line.contains("virtio-net-pci.0"))).as("each is shown once").hasSize(2);
  }

  @Test
  void memoryIsSummedAsBsdDoes() {
    assertThat(commands.execute("sum 0x80000000 8")).isEqualTo("17337\n");
    assertThat(commands.execute("sum 0x80000000")).startsWith("Error: ");
  }

  @Test
  void commitNamesADiskThatThereIsNot() {
    assertThat(commands.execute("commit all")).isEmpty();
    assertThat(commands.execute("commit nosuch")).isEqualTo("Error: Device 'nosuch' not found\n");
    assertThat(commands.execute("commit")).startsWith("Error: commit takes ");
  }

  @Test
  void memoryIsShownInAllFormats() {
    assertThat(commands.execute("xp /2xw 0x80000000")).isEqualTo("0000000080000000: 0x00150513 0xffdff06f\n");
    assertThat(commands.execute("xp/1xg 0x80000000")).isEqualTo("0000000080000000: 0xffdff06f00150513\n");
    assertThat(commands.execute("x/4xb 0x80000000")).isEqualTo("0000000080000000: 0x13 0x05 0x15 0x00\n");
    assertThat(commands.execute("x/1dw 0x80000000+4")).isEqualTo("0000000080000004: -2101137\n");
    assertThat(commands.execute("x/2i 0x80000000"))
        .contains("0x0000000080000000:  00150513          addi a0,a0,1\n")
        .contains("0x0000000080000004:  ffdff06f          j");
    assertThat(commands.execute("x 0x4000000000")).startsWith("Error: 0x4000000000: ");
    assertThat(commands.execute("x/3q 0")).startsWith("Error: invalid char in format: 'q'");
    assertThat(commands.execute("x")).startsWith("Error: an address is missing");
  }

  @Test
  void registersAreShownAndUsedInExpressions() {
    assertThat(commands.execute("info registers")).contains("pc ").contains("x10/a0");
    assertThat(commands.execute("info registers -a")).contains("CPU#0").contains("CPU#1");
    assertThat(commands.execute("print $pc")).isEqualTo("0x1000\n");
    assertThat(commands.execute("p/d $pc-0x0f00+1")).isEqualTo("257\n");
    assertThat(commands.execute("p $nosuch")).startsWith("Error: ").contains("nosuch");
  }

  @Test
  void theDefaultCpuCanBeChosen() {
    assertThat(commands.execute("info cpus")).contains("* CPU #0").contains("  CPU #1");
    assertThat(commands.execute("cpu 1")).isEmpty();
    assertThat(commands.execute("info cpus")).contains("* CPU #1");
    assertThat(commands.execute("cpu 2")).isEqualTo("Error: invalid CPU index\n");
  }

  @Test
  void theMachineIsDescribed() {
    assertThat(commands.execute("info mtree"))
        .contains("0000000080000000-0000000080ffffff (prio 0, ram): riscv_virt_board.ram");
    assertThat(commands.execute("info mtree -f")).contains("FlatView").contains("riscv.clint");
    assertThat(commands.execute("info pci"))
        .startsWith("  Bus  0, device   0, function 0:\n    Host bridge: PCI device 1b36:0008\n");
    assertThat(commands.execute("device_add virtio-rng-pci,id=x"))
        .isEqualTo("Error: Bus 'pcie.0' does not support hotplugging\n");
    assertThat(commands.execute("device_add nosuch")).contains("'nosuch' is not a valid device model name");
    assertThat(commands.execute("device_del x")).isEqualTo("Error: Device 'x' not found\n");
    assertThat(commands.execute("info name")).isEqualTo("guest7\n");
    assertThat(commands.execute("info version")).isNotBlank();
    assertThat(commands.execute("info jit")).contains("interpreter");
    assertThat(commands.execute("info block")).isEqualTo("no block devices\n");
  }

  @Test
  void resetStartsAgainAndQuitEnds() throws InterruptedException {
    commands.execute("c");
    commands.execute("system_reset");
    assertThat(vm.state()).isNotEqualTo(RunState.ENDED);
    commands.execute("q");
    assertThat(vm.awaitExit()).isEqualTo(new ShutdownReason(ShutdownReason.Kind.HOST_QUIT, 0, ""));
  }

  @Test
  void loggingIsSwitched() {
    commands.execute("log int,unimp");
    assertThat(vm.machine().log().isOn(Log.Category.INT)).isTrue();
    commands.execute("log none");
    assertThat(vm.machine().log().isOn(Log.Category.INT)).isFalse();
    assertThat(commands.execute("log nosuch")).isEqualTo("Error: unknown log item 'nosuch'\n");
  }

  @Test
  void whatIsNotThereSaysSo() {
    assertThat(commands.execute("nosuch")).isEqualTo("unknown command: 'nosuch'\n");
    assertThat(commands.execute("info nosuch")).startsWith("Error: unknown command");
    assertThat(commands.execute("system_powerdown")).startsWith("Error: ");
    assertThat(commands.execute("")).isEmpty();
  }

  @Test
  void helpNamesEveryCommand() {
    assertThat(commands.execute("help")).contains("cont|c").contains("system_reset").contains("xp /fmt addr");
    assertThat(commands.execute("help info")).contains("info mtree").contains("info registers");
    assertThat(commands.execute("help stop")).isEqualTo("stop|s -- stop emulation\n");
    assertThat(commands.completions("system_")).containsExactly("system_reset", "system_powerdown");
    assertThat(commands.completions("info q")).containsExactly("info qtree");
  }

  @Test
  void theMonitorAnswersOnItsChannel() throws Exception {
    RingChardev channel = RingChardev.of(1 << 16);
    new Monitor(vm, "", new TestChardevs(), channel, false).start();
    channel.expect("(qemu) ", Duration.ofSeconds(30));
    channel.send("info status\r");
    channel.expect("VM status: paused (prelaunch)\r\n(qemu) ", Duration.ofSeconds(30));
    channel.send("quit\r");
    assertThat(vm.awaitExit().kind()).isEqualTo(ShutdownReason.Kind.HOST_QUIT);
  }

  @Test
  void whoConnectsToTheMonitorIsGreeted() throws Exception {
    Path path = dir.resolve("monitor");
    try (SocketChardev channel =
        SocketChardev.open(SocketOptions.of(UnixDomainSocketAddress.of(path), true, false))) {
      new Monitor(vm, "", new TestChardevs(), channel, false).start();
      for (int i = 0; i < 2; i++) {
        try (SocketChannel peer = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
          StringBuilder said = new StringBuilder();
          ByteBuffer buffer = ByteBuffer.allocate(100);
          while (!said.toString().endsWith("(qemu) ") && peer.read(buffer) >= 0) {
            said.append(StandardCharsets.US_ASCII.decode(buffer.flip()));
            buffer.clear();
          }
          assertThat(said.toString()).contains("Ascus ").contains(" monitor - type 'help' for more information\r\n");
        }
      }
    }
  }
}
