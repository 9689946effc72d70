package org.ascus.launcher.options;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import org.ascus.devices.block.ErrorPolicy;
import org.ascus.devices.block.filter.Filter;
import org.ascus.devices.block.filter.ThrottleLimits;
import org.ascus.devices.block.format.ImageOptions;
import org.ascus.devices.block.protocol.Location;
import org.ascus.devices.board.riscv.Firmware;
import org.ascus.devices.chardev.socket.SocketOptions.Protocol;
import org.ascus.machine.trace.Log;
import org.ascus.polyglot.Accelerator;
import org.ascus.polyglot.BootOptions;
import org.ascus.polyglot.DriveOptions;
import org.ascus.polyglot.GlobalProperty;
import org.ascus.polyglot.HostObject;
import org.ascus.polyglot.LifeOptions;
import org.ascus.polyglot.MachineOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CommandLineTest {
  @TempDir Path folder;

  private static LaunchOptions parse(String... words) throws OptionException {
    return ((CommandLine.Launch) new CommandLine("ascus").parse(words)).options();
  }

  private static LaunchOptions virt(String line) throws OptionException {
    return parse(("-M virt " + line).trim().split(" "));
  }

  private static String answer(String line) throws OptionException {
    return ((CommandLine.Answer) new CommandLine("ascus").parse(line.split(" "))).text();
  }

  private Path file(String name) throws IOException {
    return Files.writeString(folder.resolve(name), "x");
  }

  private static List<Filter> filters(String line) throws OptionException {
    List<DriveOptions> drives = virt(line).machine().drives();
    assertThat(drives).hasSize(1);
    return drives.getFirst().image().details().filters();
  }

  @Test
  void driveMayBeEmpty() throws OptionException {
    for (String line : List.of("-drive if=none,id=cd", "-drive if=none,id=cd,media=cdrom -snapshot")) {
      assertThat(virt(line).machine().drives()).as(line).singleElement()
          .satisfies(d -> assertThat(d.medium()).isEmpty());
    }
    for (String bad : List.of("-drive media=cdrom", "-drive if=none,format=qcow2")) {
      assertThatThrownBy(() -> virt(bad)).as(bad).hasMessageContaining("must be specified for \"file\"");
    }
  }

  @Test
  void filtersStandOverImages() throws OptionException {
    assertThat(filters("-drive file=a,copy-on-read=on")).containsExactly(new Filter.CopyOnRead());
    for (String line : List.of("-drive file=a,throttling.iops-total=100,throttling.iops-total-max=200", "-drive "
        + "file=a,iops=100,iops_max=200", "-object throttle-group,id=t,x-iops-total=100,x-iops-total-max=200 -blockdev "
        + "throttle,node-name=n,throttle-group=t,file.driver=qcow2,file.file.filename=a", "-blockdev "
        + "raw,node-name=r,file.filename=a -blockdev throttle,node-name=n,throttle-group=t,file=r -object "
        + "throttle-group,id=t,limits.iops-total=100,limits.iops-total-max=200")) {
      assertThat(filters(line)).as(line).hasSize(1).first().isInstanceOfSatisfying(Filter.Throttle.class,
          t -> assertThat(t.group().limits().limits())
              .isEqualTo(Map.of(ThrottleLimits.Kind.IOPS_TOTAL, new ThrottleLimits.Limit(100, 200, 1))));
    }
    assertThat(filters("-drive file=a,bps_rd=1,bps_wr=2,bps_wr_max=9,bps_wr_max_length=3")).first()
        .isInstanceOfSatisfying(Filter.Throttle.class,
            t -> assertThat(t.group().limits().limits()).isEqualTo(Map.of(ThrottleLimits.Kind.BPS_READ,
                new ThrottleLimits.Limit(1, 0, 1), ThrottleLimits.Kind.BPS_WRITE,
                new ThrottleLimits.Limit(2, 9, 3))));
    List<DriveOptions> two =
        virt("-drive file=a,iops=5,group=g -drive file=b,throttling.group=g").machine().drives();
    assertThat(two.get(0).image().details().filters()).isEqualTo(two.get(1).image().details().filters());
    assertThat(filters("-blockdev copy-on-read,node-name=n,file.driver=qcow2,file.file.filename=a"))
        .containsExactly(new Filter.CopyOnRead());
    assertThat(filters("-blockdev blkdebug,node-name=n,image.driver=raw,image.file.filename=a,"
        + "inject-error.0.event=read_aio,inject-error.0.errno=28,set-state.0.event=none,set-state.0.new-state=2"))
        .first().isInstanceOfSatisfying(Filter.Blkdebug.class, d -> assertThat(d.rules().errors()).hasSize(1));
    assertThat(filters("-blockdev qcow2,node-name=q,file.filename=a -blockdev raw,node-name=r,file.filename=b "
        + "-blockdev blkverify,node-name=n,test=q,raw=r")).first().isInstanceOf(Filter.Blkverify.class);
    for (String line : List.of("-blockdev file,node-name=f,filename=a -blockdev preallocate,node-name=p,file=f,"
        + "prealloc-align=4k,prealloc-size=1M -blockdev qcow2,node-name=n,file=p", "-drive format=qcow2,"
        + "file.driver=preallocate,file.prealloc-align=4096,file.prealloc-size=1M,file.file.filename=a")) {
      assertThat(virt(line).machine().drives()).as(line).singleElement().satisfies(d -> assertThat(d.image().file())
          .isEqualTo(new Location.Filtered(new Location.File(Path.of("a")), new Filter.Preallocate(4096, 1 << 20))));
    }
    for (String bad : List.of("-blockdev blkdebug,node-name=n,image.driver=raw,image.file.filename=a,"
        + "inject-error.0.event=l3_load", "-blockdev "
        + "throttle,node-name=n,throttle-group=no,file.driver=raw,file.file.filename=a",
        "-drive file=a,iops_max=3", "-blockdev copy-on-read,node-name=n,file=no",
        "-drive file=a,iops=5,group=g -drive file=b,iops=6,group=g", "-object throttle-group,id=t,limits.nosuch=1")) {
      assertThatThrownBy(() -> virt(bad)).as(bad).isInstanceOf(OptionException.class);
    }
  }

  @Test
  void disksHaveTheirPlaces() throws Exception {
    List<DriveOptions> drives = virt("-hdb b -cdrom c -hda a -drive file=d -drive file=n,if=none").machine().drives();
    assertThat(drives.stream().map(DriveOptions::id))
        .containsExactly("virtio1", "virtio2", "virtio0", "virtio3", "none0");
    assertThat(drives.stream().map(d -> d.image().readOnly())).containsExactly(false, true, false, false, false);
    assertThat(virt("-hda a,b").machine().drives().getFirst().image().file().name()).isEqualTo("a,b");
  }

  @ParameterizedTest
  @ValueSource(strings = {"-device virtio-rng-pci,id=1x", "-netdev user,id=#n", "-chardev null,id=-",
      "-drive id=0,file=x", "-object rng-builtin,id=a/b"})
  void whatIsNotAnIdentifierIsNoName(String line) {
    assertThatThrownBy(() -> virt(line))
        .hasMessage(line + ": Parameter 'id' expects an identifier\n"
            + "Identifiers consist of letters, digits, '-', '.', '_', starting with a letter.");
  }

  @Test
  void socketsTakeShortFormsAndFamilies() throws Exception {
    String server = "-chardev socket,id=c,host=localhost,port=7,server,nowait,nodelay,ipv4";
    CharOptions.Socket socket = (CharOptions.Socket) virt(server).chardevs().get("c").kind();
    assertThat(socket.server()).isTrue();
    assertThat(socket.waitForPeer()).isFalse();
    assertThat(socket.nodelay()).isTrue();
    assertThat(((InetSocketAddress) socket.address()).getAddress()).isInstanceOf(Inet4Address.class);
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      int port = Math.min(taken.getLocalPort(), 65000);
      String range = "-chardev socket,id=c,host=127.0.0.1,server=on,wait=off,port=" + port + ",to=" + (port + 500);
      CharOptions.Socket free = (CharOptions.Socket) virt(range).chardevs().get("c").kind();
      assertThat(((InetSocketAddress) free.address()).getPort()).isBetween(port + 1, port + 500);
    }
    assertThatThrownBy(() -> virt("-chardev udp,id=c,port=7,ipv4=off,ipv6=off")).hasMessageContaining("IPv4 and IPv6");
  }

  @Test
  void failedRequestsGoByWhatTheDriveSays() throws Exception {
    DriveOptions drive = virt("-drive file=a,rerror=stop,werror=ignore").machine().drives().getFirst();
    assertThat(drive.errors()).isEqualTo(new ErrorPolicy(ErrorPolicy.Action.STOP, ErrorPolicy.Action.IGNORE));
    assertThat(virt("-drive file=a").machine().drives().getFirst().errors())
        .isEqualTo(new ErrorPolicy(ErrorPolicy.Action.REPORT, ErrorPolicy.Action.ENOSPC));
    assertThatThrownBy(() -> virt("-drive file=a,rerror=enospc")).hasMessageContaining("invalid read error action");
    assertThatThrownBy(() -> virt("-drive file=a,werror=x")).hasMessageContaining("'x' invalid write error action");
  }

  @Test
  void keysOfImagesAreSecretsWhereverTheyStand() throws OptionException {
    for (String disk : List.of(
        "-blockdev luks,node-name=n,file.filename=a,key-secret=s", "-drive file=a,id=n,format=luks,key-secret=s",
        "-blockdev qcow2,node-name=n,file.filename=a,encrypt.format=luks,encrypt.key-secret=s",
        "-blockdev {\"driver\":\"qcow2\",\"node-name\":\"n\",\"encrypt\":{\"key-secret\":\"s\"},"
            + "\"file\":{\"driver\":\"file\",\"filename\":\"a\"}}")) {
      for (String line : List.of(disk + " -object secret,id=s,data=x", "-object secret,id=s,data=x " + disk)) {
        assertThat(virt(line).machine().drives().getFirst().image().details().key().secret().orElseThrow().text())
            .as(line).isEqualTo("x");
      }
      assertThatThrownBy(() -> virt(disk)).hasMessageContaining("No secret with id 's'");
    }
  }

  @Test
  void nothingButTheMachineGivesTheDefaults() throws OptionException {
    LaunchOptions options = virt("");
    assertThat(options.machine())
        .usingRecursiveComparison()
        .ignoringFields("profile")
        .isEqualTo(MachineOptions.DEFAULT);
    assertThat(options.log()).isEmpty();
    assertThat(options.dumpDtb()).isEmpty();
    assertThat(options.name()).isEmpty();
  }

  @Test
  void machineOptionsBecomeTheRecord() throws OptionException {
    MachineOptions m =
        virt("-cpu max,zba=off -smp 4 -m 2G -accel tcg,thread=multi -icount shift=3 -S -no-reboot -no-shutdown")
            .machine();
    assertThat(m.cpu()).isEqualTo("max,zba=off");
    assertThat(m.smp()).isEqualTo(4);
    assertThat(m.ramSize()).isEqualTo(2L << 30);
    assertThat(m.accelerator()).isEqualTo(Accelerator.TRUFFLE);
    assertThat(m.icountShift()).isEqualTo(OptionalInt.of(3));
    assertThat(m.life()).isEqualTo(new LifeOptions(true, true, true));
    assertThat(m.oneThread()).isFalse();
    assertThat(m.aclint()).isFalse();
    assertThat(virt("-accel tcg,thread=single").machine().oneThread()).isTrue();
    assertThat(m.profile()).isPresent();
    assertThat(virt("-accel tcg,profile=off").machine().profile()).isEmpty();
    assertThat(virt("-M aclint=on").machine().aclint()).isTrue();
  }

  @Test
  void bootOptionsBecomeTheRecord() throws Exception {
    Path kernel = file("kernel");
    Path initrd = file("initrd");
    Path dtb = file("dtb");
    Path bios = file("bios");
    Path flash = file("flash");
    BootOptions boot =
        parse(
                "-M", "virt", "-kernel", kernel.toString(), "-initrd", initrd.toString(), "-append", "a=b c,d", "-dtb",
                dtb.toString(), "-bios", bios.toString(), "-drive", "if=pflash,unit=1,file=" + flash)
            .machine()
            .boot();
    assertThat(boot)
        .isEqualTo(
            new BootOptions(
                Optional.of(new Firmware.File(bios)),
                Optional.of(kernel),
                Optional.of(initrd),
                "a=b c,d",
                Optional.of(dtb),
                List.of(Optional.empty(), Optional.of(flash))));
    assertThat(virt("-bios none").machine().boot().firmware()).contains(new Firmware.None());
    assertThat(virt("-bios none -bios default").machine().boot().firmware()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"-m 512,536870912", "-m 512M,536870912", "-m size=1G,1073741824", "--m 1G,1073741824"})
  void memoryIsInMebibytesUnlessItSays(String option, long bytes) throws OptionException {
    assertThat(virt(option).machine().ramSize()).isEqualTo(bytes);
  }

  @ParameterizedTest
  @ValueSource(strings = {"-smp 4", "-smp cpus=4", "-smp 4,maxcpus=8", "-smp cores=2,threads=2", "--smp 4,cores=4"})
  void cpusAreCounted(String option) throws Exception {
    assertThat(virt(option).machine().smp()).isEqualTo(4);
  }

  @Test
  void drivesBecomeRecords() throws OptionException {
    MachineOptions m =
        virt("-drive file=a.img,if=none,id=d0,format=raw,snapshot=on -drive file=b.img,readonly=on,cache=none c.img")
            .machine();
    assertThat(m.drives())
        .containsExactly(
            new DriveOptions(
                "-drive file=a.img,if=none,id=d0,format=raw,snapshot=on",
                "d0",
                false,
                new ImageOptions(Path.of("a.img"), "raw", false, true, true)),
            new DriveOptions(
                "-drive file=b.img,readonly=on,cache=none",
                "virtio0",
                true,
                new ImageOptions(new Location.File(Path.of("b.img"), true, true), "", true, false, true)),
            new DriveOptions("c.img", "virtio1", true, new ImageOptions(Path.of("c.img"), "", false, false, true)));
    assertThat(virt("-snapshot c.img").machine().drives().getFirst().image().snapshot()).isTrue();
  }

  @Test
  void blockNodesAreGivenInOneOrInTwo() throws OptionException {
    ImageOptions image = new ImageOptions(Path.of("a.img"), "raw", true, false, true);
    String one = "driver=raw,node-name=n,file.driver=file,file.filename=a.img,read-only=on";
    assertThat(virt("-blockdev " + one).machine().drives())
        .containsExactly(new DriveOptions("-blockdev " + one, "n", false, image));
    List<DriveOptions> two =
        virt("-blockdev file,node-name=f,filename=a.img,read-only=on -blockdev raw,node-name=n,file=f")
            .machine()
            .drives();
    assertThat(two).extracting(DriveOptions::id).containsExactly("n");
    assertThat(two).extracting(DriveOptions::image).containsExactly(image);
  }

  @Test
  void whatIsSaidOfQcow2AndRawImagesIsKept() throws OptionException {
    ImageOptions drive =
        virt("-drive file=a.qcow2,format=qcow2,discard=unmap,detect-zeroes=unmap,cache.direct=on"
                + ",backing.driver=raw,backing.file.filename=b.raw")
            .machine().drives().getFirst().image();
    ImageOptions.Details details = ImageOptions.Details.NONE.withUnmap(true).withDetectZeroes(true);
    ImageOptions base = new ImageOptions(Path.of("b.raw"), "raw", true, false, true);
    assertThat(drive)
        .isEqualTo(
            new ImageOptions(new Location.File(Path.of("a.qcow2"), true, true), "qcow2", false, false, true)
                .withDetails(details.withBacking(Optional.of(base))));
    List<DriveOptions> nodes =
        virt("-blockdev raw,node-name=b,file.filename=b.raw"
                + " -blockdev qcow2,node-name=n,backing=b,file.filename=a.qcow2")
            .machine().drives();
    assertThat(nodes).hasSize(1);
    String twice = " -blockdev raw,node-name=x,file.filename=a";
    assertThatThrownBy(() -> virt(twice.strip() + twice))
        .hasMessageEndingWith("Duplicate nodes with node-name='x'");
    assertThat(nodes.getFirst().image().details().backing()).contains(base);
    assertThat(
            virt("-blockdev {\"driver\":\"qcow2\",\"node-name\":\"n\",\"backing\":null,"
                    + "\"file\":{\"driver\":\"file\",\"filename\":\"a\"}}")
                .machine().drives().getFirst().image().details().withoutBacking())
        .isTrue();
    assertThat(
            virt("-drive file=a,format=raw,offset=1M,size=512").machine().drives().getFirst().image().details())
        .isEqualTo(ImageOptions.Details.NONE.withWindow(1 << 20, OptionalLong.of(512)));
  }

  @Test
  void jsonSaysTheSameAsKeysAndValues() throws OptionException {
    String json =
        "{'driver':'raw','node-name':'n','read-only':true,'file':{'driver':'file','filename':'a.img'}}"
            .replace('\'', '"');
    ImageOptions image = new ImageOptions(Path.of("a.img"), "raw", true, false, true);
    assertThat(virt("-blockdev " + json).machine().drives())
        .containsExactly(new DriveOptions("-blockdev " + json, "n", false, image));
    String device = "{'driver':'virtio-rng-device','id':'r','period':5}".replace('\'', '"');
    assertThat(virt("-device " + device).machine().devices().getFirst().properties()).isEqualTo(Map.of("period", "5"));
  }

  @Test
  void objectsBecomeRecords() throws OptionException {
    MachineOptions m =
        virt("-object rng-random,id=a,filename=/dev/random -object rng-builtin,id=b -object rng-random,id=c"
                + " -object memory-backend-ram,id=m,size=256M -M memory-backend=m")
            .machine();
    assertThat(m.objects())
        .containsExactly(
            new HostObject.Rng("-object rng-random,id=a,filename=/dev/random", "a",
                Optional.of(Path.of("/dev/random"))),
            new HostObject.Rng("-object rng-builtin,id=b", "b", Optional.empty()),
            new HostObject.Rng("-object rng-random,id=c", "c", Optional.of(Path.of("/dev/urandom"))),
            new HostObject.Ram("-object memory-backend-ram,id=m,size=256M", "m", 256 << 20));
    assertThat(m.ramSize()).isEqualTo(256 << 20);
    assertThatThrownBy(() -> virt("-m 1G -object memory-backend-ram,id=m,size=256M -M memory-backend=m"))
        .hasMessageContaining("must match size of memory backend (268435456)");
    assertThatThrownBy(() -> virt("-M memory-backend=m")).hasMessageContaining("Memory backend 'm' not found");
  }

  @Test
  void devicesAndGlobalsBecomeRecords() throws OptionException {
    MachineOptions m =
        virt("-device virtio-rng-device,id=r,period=5 -global virtio-mmio.force-legacy=false").machine();
    assertThat(m.devices().getFirst().driver()).isEqualTo("virtio-rng-device");
    assertThat(m.devices().getFirst().id()).isEqualTo("r");
    assertThat(m.devices().getFirst().properties()).isEqualTo(Map.of("period", "5"));
    assertThat(m.globals()).containsExactly(new GlobalProperty("virtio-mmio", "force-legacy", "false"));
  }

  @Test
  void nographicSharesTheTerminal() throws OptionException {
    for (String line : List.of("", "-nographic", "-display none -serial mon:stdio", "-nodefaults -serial mon:stdio")) {
      LaunchOptions options = virt(line);
      assertThat(options.serials()).as(line).hasSize(1).isEqualTo(options.monitors());
      assertThat(options.chardevs().values())
          .extracting(ChardevOptions::kind)
          .containsExactly(new CharOptions.Stdio(false));
    }
  }

  @Test
  void withoutTerminalThereIsNoSerialLineUnlessAskedFor() throws OptionException {
    for (String line : List.of("-display none", "-nodefaults", "-nographic -nodefaults")) {
      assertThat(virt(line).serials()).as(line).isEmpty();
      assertThat(virt(line).monitors()).as(line).isEmpty();
    }
    LaunchOptions files = virt("-display none -serial file:out -serial null");
    assertThat(files.serials()).containsExactly(new CharOptions.Reference("serial0"), new CharOptions.Null());
    assertThat(files.chardevs().get("serial0")).isEqualTo(new ChardevOptions("-serial file:out", "serial0",
        new CharOptions.File(Path.of("out"), false, Optional.empty()), false));
    assertThatThrownBy(() -> virt("-display none -serial file:out -chardev null,id=serial0"))
        .hasMessageContaining("Duplicate ID 'serial0' for chardev");
    assertThat(virt("-nographic -serial null").monitors()).containsExactly(new CharOptions.Stdio(true));
    assertThat(virt("-nographic -monitor none").serials()).containsExactly(new CharOptions.Stdio(true));
  }

  @Test
  void chardevsAreNamed() throws OptionException {
    LaunchOptions options =
        virt("-chardev stdio,id=c,mux=on -serial chardev:c -mon chardev=c -chardev ringbuf,id=r,size=1k");
    assertThat(options.chardevs())
        .containsEntry("c", new ChardevOptions("-chardev stdio,id=c,mux=on", "c", new CharOptions.Stdio(true), true))
        .containsEntry(
            "r", new ChardevOptions("-chardev ringbuf,id=r,size=1k", "r", new CharOptions.Ring(1024), false));
    assertThat(options.monitors()).containsExactly(new CharOptions.Reference("c"));
  }

  @Test
  void thereAreAsManyMonitorsAsAreAskedFor() throws OptionException {
    LaunchOptions options =
        virt("-display none -chardev null,id=c,mux=on -mon c -mon c -monitor none -monitor stdio -monitor pty");
    assertThat(options.monitors()).containsExactly(new CharOptions.Reference("c"), new CharOptions.Reference("c"),
        new CharOptions.Stdio(true), new CharOptions.Reference("compat_monitor0"));
    assertThatThrownBy(() -> virt("-mon c -monitor null")).hasMessageContaining("-mon c: chardev 'c' not found");
    assertThatThrownBy(() -> virt("-display none -monitor stdio -monitor stdio")).hasMessageContaining("stdio");
  }

  @Test
  void debuggingOptionsBecomeTheRecord() throws OptionException {
    LaunchOptions options = virt("-d int,guest_errors,host -D log.txt -name guest=g -M dumpdtb=t.dtb,aclint=off");
    assertThat(options.log()).isEqualTo(Set.of(Log.Category.INT, Log.Category.GUEST_ERRORS));
    assertThat(options.hostErrors()).isTrue();
    assertThat(options.logFile()).contains(Path.of("log.txt"));
    assertThat(options.name()).isEqualTo("g");
    assertThat(options.dumpDtb()).contains(Path.of("t.dtb"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-m 12Q", "-m 0", "-m 100T", "-m size=1,x=2", "-smp 0", "-smp 9", "-smp x", "-smp 4,maxcpus=2", "-smp 2,foo=1",
        "-cpu nosuch", "-cpu rv64,zfoo=on", "-M nosuch", "-M virt,nosuch=1", "-machine virt,aclint=maybe",
        "-accel nosuch", "-accel tcg,thread=three", "-accel tcg,x=1", "-icount auto", "-icount shift=11", "-d nosuch",
        "-device nosuch", "-device virtio-blk-device,nosuch=1", "-device virtio-rng-device,period=x",
        "-global nosuch.x=1", "-global virtio-mmio.nosuch=1", "-global virtio-mmio.force-legacy=7", "-global x",
        "-drive if=virtio", "-drive file=x,if=nosuch", "-drive file=x,nosuch=1", "-drive file=x,snapshot=maybe",
        "-drive file=x,cache=nosuch", "-drive if=pflash,unit=2,file=x", "-blockdev raw,node-name=x",
        "-blockdev raw,node-name=x,file=y", "-blockdev driver=raw", "-blockdev qcow9,node-name=x",
        "-blockdev qcow2,node-name=x,file.filename=a,offset=1",
        "-blockdev raw,node-name=x,file.filename=a,detect-zeroes=unmap",
        "-blockdev {}",
        "-blockdev {\"driver\":\"raw\"", "-blockdev {\"driver\":null}", "-blockdev {}x", "-blockdev {1:2}",
        "-object nosuch,id=x", "-object rng-random", "-object rng-builtin,id=x,foo=1",
        "-object memory-backend-ram,id=m",
        "-serial nosuch", "-serial file:", "-serial chardev:nosuch", "-monitor nosuch", "-chardev nosuch,id=x",
        "-chardev stdio", "-chardev file,id=x", "-chardev ringbuf,id=x,size=3", "-display gtk", "-net nosuch",
        "-vga std", "-kernel /nosuch", "-initrd /nosuch", "-dtb /nosuch", "-bios /nosuch", "-append x", "-kernel /",
        "-nic nosuch", "-name g,x=1"
      })
  void anErrorNamesOptionAndValueInOneLine(String option) {
    String[] words = option.split(" ");
    assertThatThrownBy(() -> virt(option))
        .isInstanceOf(OptionException.class)
        .message()
        .doesNotContain("\n")
        .startsWith(words[0] + " " + words[1] + ": ");
  }

  @Test
  void otherMistakesAreErrorsToo() {
    assertThatThrownBy(() -> parse("-M", "virt", "-nosuch")).hasMessage("-nosuch: invalid option");
    assertThatThrownBy(() -> parse("-M", "virt", "-m")).hasMessage("-m: requires an argument");
    assertThatThrownBy(() -> parse("-m", "1G")).hasMessageStartingWith("No machine specified");
    assertThatThrownBy(() -> virt("-serial stdio -monitor stdio")).hasMessageStartingWith("cannot use stdio by");
    assertThatThrownBy(() -> virt("-chardev null,id=a -chardev null,id=a")).hasMessageContaining("Duplicate ID 'a'");
    assertThatThrownBy(() -> virt("-chardev null,id=a -serial chardev:a -serial chardev:a"))
        .hasMessageContaining("mux=on");
    assertThatThrownBy(() -> virt("-M pflash0=x")).hasMessageContaining("can't find node 'x'");
  }

  @Test
  void helpIsAnAnswer() throws OptionException {
    assertThat(answer("-M help")).contains("virt ");
    assertThat(answer("-M virt,help")).contains("dumpdtb=");
    assertThat(answer("-cpu help")).contains("rv64");
    assertThat(answer("-accel help")).contains("truffle").contains("interpreter");
    assertThat(answer("-d help")).contains("guest_errors").contains("in_asm");
    assertThat(answer("-device help")).contains("name \"virtio-blk-device\", bus virtio-bus");
    assertThat(answer("-device virtio-blk-device,help")).contains("  drive=<str> ");
    assertThat(answer("-chardev help")).contains("ringbuf");
    assertThat(answer("-drive format=help")).contains("Supported formats: blkdebug ", " qcow2 ", "(read-only): ");
    assertThat(answer("-object help")).contains("  rng-random\n");
    assertThat(answer("-object rng-random,help")).contains("  filename=");
    assertThat(answer("-version")).startsWith("Ascus emulator version ");
  }

  @Test
  void helpNamesEveryOption() throws OptionException {
    String help = answer("--help");
    for (Option option : new OptionTable("ascus").options()) {
      assertThat(help).contains(option.usage());
      option.names().forEach(n -> assertThat(help).contains("-" + n));
    }
    assertThat(help.lines()).allSatisfy(line -> assertThat(line.length()).isLessThan(121));
  }

  private static CharOptions serial(String text) throws Exception {
    LaunchOptions options = virt("-display none -serial " + text);
    return options.serials().getFirst() instanceof CharOptions.Reference(String id)
        ? options.chardevs().get(id).kind() : options.serials().getFirst();
  }

  @Test
  void socketsAreUnderstoodInTheirShortAndLongForms() throws Exception {
    InetSocketAddress loopback = new InetSocketAddress("127.0.0.1", 4444);
    CharOptions waits = new CharOptions.Socket(loopback, true, true, false, 0, Protocol.RAW, "", "");
    CharOptions client = new CharOptions.Socket(loopback, false, false, true, 5, Protocol.RAW, "", "");
    assertThat(serial("tcp:127.0.0.1:4444,server")).isEqualTo(waits);
    assertThat(serial("tcp:127.0.0.1:4444,nodelay,reconnect=5")).isEqualTo(client);
    assertThat(serial("telnet:127.0.0.1:4444,server=on,wait=off"))
        .isEqualTo(new CharOptions.Socket(loopback, true, false, false, 0, Protocol.TELNET, "", ""));
    assertThat(serial("unix:/tmp/s,server,nowait"))
        .isEqualTo(
            new CharOptions.Socket(
                UnixDomainSocketAddress.of("/tmp/s"), true, false, false, 0, Protocol.RAW, "", ""));
    assertThat(serial("udp:127.0.0.1:4444@:4555"))
        .isEqualTo(new CharOptions.Udp(loopback, new InetSocketAddress(4555)));
    assertThat(serial("pty")).isEqualTo(new CharOptions.Pty());
    assertThat(serial("pipe:/tmp/p")).isEqualTo(new CharOptions.Pipe(Path.of("/tmp/p")));
    assertThat(serial("/dev/ttyS7")).isEqualTo(new CharOptions.Serial(Path.of("/dev/ttyS7")));
    String option = "-chardev socket,id=c,host=127.0.0.1,port=4444,server=on,logfile=l -serial chardev:c";
    assertThat(virt(option).chardevs().get("c"))
        .satisfies(c -> assertThat(c.kind()).isEqualTo(waits))
        .satisfies(c -> assertThat(c.log()).contains(Path.of("l")));
  }

  @Test
  void whatHasNoChannelHereIsRefusedByName() {
    for (String kind : List.of("vc", "parallel", "braille", "msmouse", "spicevmc")) {
      assertThatThrownBy(() -> virt("-chardev " + kind + ",id=c"))
          .hasMessageStartingWith("-chardev " + kind + ",id=c: '" + kind + "' is not a valid char driver name here: ");
    }
    assertThatThrownBy(() -> virt("-chardev socket,id=c,path=x,abstract=on,tight=off,server=on"))
        .hasMessageContaining("abstract=on is not supported");
    assertThatThrownBy(() -> serial("vc:80Cx24C")).hasMessageContaining("no display");
    assertThatThrownBy(() -> virt("-chardev file,id=c")).hasMessageEndingWith("chardev: file: no filename given");
    assertThatThrownBy(() -> virt("-chardev socket,id=c,host=localhost,port=1,tls-creds=x"))
        .hasMessage("-chardev socket,id=c,host=localhost,port=1,tls-creds=x: No TLS credentials with id 'x'");
  }

  @Test
  void impossibleSocketsAreRefused() throws Exception {
    for (String bad :
        List.of(
            "tcp:nohost", "tcp:127.0.0.1:99999", "tcp:127.0.0.1:1,wait", "websocket:127.0.0.1:1",
            "tcp:127.0.0.1:1,server,reconnect=1", "tcp:127.0.0.1:1,color=red", "unix:", "pty:x")) {
      assertThatThrownBy(() -> serial(bad)).as(bad).isInstanceOf(OptionException.class);
    }
    assertThatThrownBy(() -> virt("-chardev socket,id=c,host=127.0.0.1,port=1,tls-creds=t"))
        .hasMessageContaining("No TLS credentials with id 't'");
    assertThatThrownBy(() -> virt("-object tls-creds-psk,id=t")).hasMessageContaining("Missing 'dir' property value");
    assertThatThrownBy(() -> virt("-object tls-creds-psk,id=t,dir=/nosuch"))
        .hasMessageContaining("Unable to access credentials /nosuch/keys.psk");
    virt("-object tls-creds-anon,id=t,endpoint=server,priority=SECURE256:-VERS-TLS1.3,verify-peer=off");
    assertThatThrownBy(() -> virt("-object tls-creds-anon,id=t,priority=FOO"))
        .hasMessageContaining("Unable to set TLS session priority FOO");
    assertThatThrownBy(() -> virt("-object tls-creds-x509,id=t,dir=/nowhere,endpoint=server"))
        .hasMessageContaining("/nowhere/server-cert.pem");
    assertThatThrownBy(() -> virt("-object secret,id=s")).hasMessageContaining("'file' or 'data'");
    assertThatThrownBy(() -> virt("-object secret,id=s,data=x,keyid=k,iv=x")).hasMessageContaining("'k'");
  }

  @Test
  void secretsAndAuthorizationAreMadeOfObjects() throws Exception {
    SecurityObjects made =
        virt(
                "-object secret,id=s,data=bGV0bWVpbg==,format=base64 -object authz-simple,id=a,identity=fred"
                    + " -object authz-list,id=l,policy=deny,rules.0.match=b*,rules.0.policy=allow,rules.0.format=glob")
            .security();
    assertThat(made.secrets().get("s").text()).isEqualTo("letmein");
    assertThat(made.authorizations().get("a").allows("fred")).isTrue();
    assertThat(made.authorizations().get("l").allows("bob")).isTrue();
    assertThat(made.authorizations().get("l").allows("alice")).isFalse();
  }

  @Test
  void cacheModesSayWhenWritesAreDurable() throws Exception {
    record Mode(String cache, boolean through, boolean durable, boolean direct) {}

    List<Mode> modes =
        List.of(
            new Mode("cache=none", false, true, true),
            new Mode("cache=writeback", false, true, false),
            new Mode("cache=writethrough", true, true, false),
            new Mode("cache=directsync", true, true, true),
            new Mode("cache=unsafe", false, false, false),
            new Mode("cache=unsafe,cache.no-flush=off", false, true, false),
            new Mode("cache.writeback=off", true, true, false));
    for (Mode mode : modes) {
      DriveOptions drive = virt("-drive file=a,format=raw," + mode.cache()).machine().drives().getFirst();
      assertThat(drive.writeThrough()).as(mode.cache()).isEqualTo(mode.through());
      Location file = new Location.File(Path.of("a"), mode.durable(), mode.direct());
      assertThat(drive.image().file()).as(mode.cache()).isEqualTo(file);
    }
    assertThatThrownBy(() -> virt("-drive file=a,format=raw,aio=native"))
        .hasMessageContaining("aio=native was specified, but it requires cache.direct=on, which was not specified.");
    assertThat(virt("-drive file=a,format=raw,aio=native,cache=none").machine().drives()).hasSize(1);
    String node = "-blockdev raw,node-name=d,file.filename=a,file.aio=native";
    assertThatThrownBy(() -> virt(node)).hasMessageContaining("aio=native was specified, but it requires");
    assertThat(virt(node + ",cache.direct=on").machine().drives()).hasSize(1);
    assertThat(virt(node + ",file.cache.direct=on").machine().drives()).hasSize(1);
    assertThatThrownBy(() -> virt(node + ",cache.direct=on,file.cache.direct=off")).hasMessageContaining("aio=native");
    assertThat(virt("-drive file.filename=a,format=raw,file.aio=native,cache=none").machine().drives()).hasSize(1);
  }

  @Test
  void aDriveOfNoBusIsForTheDeviceThatNamesIt() throws Exception {
    List<DriveOptions> drives =
        virt("-device virtio-blk-device,drive=a -drive file=x,format=raw,id=a -drive file=y,format=raw,id=b")
            .machine().drives();
    assertThat(drives).extracting(DriveOptions::virtio).containsExactly(false, true);
    assertThat(virt("-drive file=x,format=raw,if=virtio,id=a -device virtio-blk-device,drive=a").machine().drives())
        .extracting(DriveOptions::virtio).containsExactly(true);
  }

  @Test
  void filesAndDevicesOfTheHostHaveDriversOfTheirOwn(@TempDir Path dir) throws Exception {
    Path file = Files.createFile(dir.resolve("f"));
    for (String option : List.of("-blockdev raw,node-name=d,file.driver=host_device,file.filename=",
        "-blockdev host_device,node-name=d,filename=", "-drive format=raw,file.driver=host_device,file=")) {
      assertThatThrownBy(() -> virt(option + file)).as(option).hasMessageContaining(
          "'host_device' driver requires '" + file + "' to be either a character or block device");
      assertThat(virt(option + "/dev/null").machine().drives()).as(option).hasSize(1);
    }
    assertThatThrownBy(() -> virt("-blockdev file,node-name=d,filename=/dev/null"))
        .hasMessageContaining("'file' driver requires '/dev/null' to be a regular file");
    assertThat(virt("-drive format=raw,file=/dev/null").machine().drives()).hasSize(1);
  }

  @Test
  void drivesAndNodesNameProtocols() throws Exception {
    Location nothing = new Location.Null("null-co", 1 << 20, 500, true);
    for (String option :
        List.of(
            "-drive driver=null-co,size=1M,latency-ns=500,read-zeroes=on,if=none",
            "-drive format=raw,file.driver=null-co,file.size=1M,file.latency-ns=500,file.read-zeroes=on",
            "-drive file=json:{\"driver\":\"null-co\",,\"size\":1048576,,\"latency-ns\":500,,\"read-zeroes\":true}",
            "-blockdev raw,node-name=d,file.driver=null-co,file.size=1M,file.latency-ns=500,file.read-zeroes=on")) {
      assertThat(virt(option).machine().drives().getFirst().image().file()).as(option).isEqualTo(nothing);
    }
    assertThatThrownBy(() -> virt("-drive file=gopher://x,format=raw")).hasMessageContaining("Unknown protocol");
    assertThatThrownBy(() -> virt("-drive driver=null-co,sise=1M")).hasMessageContaining("Invalid parameter 'sise'");
  }
}
