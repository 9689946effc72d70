package org.ascus.launcher.options;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Every option there is, in the order of help: parsing, help and the messages about unknown ones come from here. */
final class OptionTable {
  /** Options for disks by number. */
  private static final List<String> DISKS = List.of("hda", "hdb", "hdc", "hdd");

  private final List<Option> options = new ArrayList<>();
  private final Map<String, Option> byName = new HashMap<>();
  private final String program;

  OptionTable(String program) {
    this.program = program;
    add("h help", "", "display this help and exit", (d, a) -> d.answer(help()));
    add("version", "", "display version information and exit", (d, a) -> d.answer(Version.text(program)));
    machine();
    boot();
    storage();
    channels();
    debugging();
  }

  private void machine() {
    add(
        "machine M",
        "[type=]name[,prop[=value][,...]]",
        "select the machine ('-machine help' for list, '-machine virt,help' for properties)",
        MachineArguments::machine);
    add("cpu", "cpu[,ext=on|off...]", "select CPU ('-cpu help' for list)", MachineArguments::cpu);
    add(
        "accel",
        "[accel=]accelerator[,thread=single|multi][,profile=on|off]",
        "how guest code is run: truffle (or its other name tcg), interpreter",
        MachineArguments::accel);
    add(
        "smp",
        "[cpus=]n[,maxcpus=maxcpus][,sockets=s][,cores=c][,threads=t]",
        "set the number of CPUs [default=1], 1 to 8",
        MachineArguments::smp);
    add("m", "[size=]megs", "set the amount of RAM [default=128M], with suffix k, M, G or T", MachineArguments::memory);
    add(
        "icount",
        "[shift=]N",
        "run by instruction count, one instruction in 2^N ns of guest time: repeatable",
        MachineArguments::icount);
    add("name", "string[,...]", "set the name of the guest", DraftSetters::name);
  }

  private void boot() {
    add("bios", "file", "set the firmware: default, builtin, none, or a file", MachineArguments::bios);
    add("kernel", "file", "use 'file' (ELF, Linux Image, raw) as kernel", (d, a) -> d.kernel = path(a));
    add("append", "cmdline", "use 'cmdline' as kernel command line", (d, a) -> d.append = a);
    add("initrd", "file", "use 'file' as initial RAM disk", (d, a) -> d.initrd = path(a));
    add("dtb", "file", "use 'file' as device tree", (d, a) -> d.dtb = path(a));
  }

  private void storage() {
    add(
        "drive",
        "file=file[,if=none|virtio|pflash][,id=name][,format=raw][,snapshot=on|off]\n"
            + "       [,readonly=on|off][,media=disk|cdrom][,unit=n][,cache=mode]",
        "use 'file' as a drive",
        StorageArguments::drive);
    add(
        "blockdev",
        "[driver=]raw,node-name=N,file.driver=file,file.filename=F[,read-only=on|off]",
        "make a block node for -device to use (also as a JSON object)",
        StorageArguments::blockdev);
    for (int i = 0; i < DISKS.size(); i++) {
      at(DISKS.get(i), "use 'file' as disk " + i, "index=" + i + ",media=disk");
    }
    at("cdrom", "use 'file' as a disk that cannot be written", "index=2,media=cdrom");
    at("fda", "there is no floppy drive", "if=floppy,index=0");
    at("fdb", "there is no floppy drive", "if=floppy,index=1");
    at("sd", "there is no SD card slot", "if=sd");
    at("mtdblock", "there is no other flash memory than -pflash", "if=mtd");
    add("pflash", "file", "use 'file' as contents of the next parallel flash bank", MachineArguments::pflash);
    add("snapshot", "", "write to temporary files instead of disk image files", (d, a) -> d.snapshot = true);
    add(
        "device",
        "driver[,prop[=value][,...]]",
        "add a device ('-device help' for list, '-device driver,help' for properties)",
        DeviceArguments::device);
    add("global", "driver.property=value", "set another default for a property of a device", DeviceArguments::global);
    add(
        "object",
        "type,id=id[,prop=value][,...]",
        "lend something of the host to the machine ('-object help' for list)",
        ObjectArguments::object);
    add(
        "fsdev",
        "local,id=id,path=path,security_model=mapped-xattr|mapped-file|passthrough|none\n"
            + "       [,readonly=on][,fmode=fmode][,dmode=dmode][,multidevs=remap|forbid|warn]",
        "lend a folder of the host, for -device virtio-9p-pci,fsdev=id,mount_tag=tag to use",
        FolderArguments::fsdev);
    add(
        "virtfs",
        "local,path=path,mount_tag=tag,security_model=...[,id=id][,...as with -fsdev]",
        "-fsdev and a virtio-9p-pci on it in one; in a Linux guest: mount -t 9p -o trans=virtio tag /mnt",
        FolderArguments::virtfs);
    add(
        "netdev",
        "user,id=id[,net=addr/bits][,host=addr][,dns=addr][,dhcpstart=addr]\n"
            + "       [,hostfwd=[tcp|udp]:[hostaddr]:hostport-[guestaddr]:guestport][,restrict=on|off]\n"
            + "       [,guestfwd=[tcp]:server:port-tcp:host:port|cmd:command][,ipv4=on|off][,ipv6=on|off]\n"
            + "       [,ipv6-net=prefix/64][,ipv6-host=addr][,ipv6-dns=addr][,hostname=name]\n"
            + "       [,domainname=domain][,dnssearch=domain][,tftp=dir][,tftp-server-name=name][,bootfile=file]\n"
            + "-netdev socket,id=id,listen=[host]:port|connect=host:port|mcast=addr:port|udp=host:port\n"
            + "       [,localaddr=addr]\n"
            + "-netdev stream,id=id[,server=on|off][,reconnect=s],addr.type=inet,addr.host=host,addr.port=port\n"
            + "-netdev stream,id=id[,server=on|off][,reconnect=s],addr.type=unix,addr.path=path\n"
            + "-netdev dgram,id=id[,local.type=inet,local.host=addr,local.port=port],remote.type=inet,...\n"
            + "-netdev dgram,id=id,local.type=unix,local.path=path,remote.type=unix,remote.path=path\n"
            + "-netdev tap,id=id[,ifname=name][,script=file|no][,downscript=file|no]\n"
            + "-netdev tap,id=id,helper=program[,br=bridge]\n"
            + "-netdev bridge,id=id[,br=bridge][,helper=program]\n"
            + "-netdev hubport,id=id,hubid=n[,netdev=id]",
        "make the host's end of a network for -device to use; 'user' needs no privileges",
        NetArguments::netdev);
    add(
        "nic",
        "[user][,model=model][,mac=addr][,...]|none",
        "-netdev and a network card on it in one ('-nic model=help' for models); there is none unless asked",
        NetArguments::nic);
    add(
        "net",
        "nic[,model=model][,macaddr=addr][,netdev=id]|user|socket[,...]|none",
        "the older way: network cards and back ends that all meet at one hub",
        NetArguments::net);
  }

  private void channels() {
    add(
        "serial",
        "dev",
        "connect the next serial port: stdio, mon:stdio, file:PATH, null, none, pty, pipe:PATH, /dev/...,\n"
            + "       tcp:|telnet:|websocket:HOST:PORT[,server][,nowait], unix:PATH[,server][,nowait],\n"
            + "       udp:HOST:PORT[@HOST:PORT], chardev:ID",
        ChannelArguments::serial);
    add("parallel", "none", "there is no parallel port", ChannelArguments::onlyNone);
    add("monitor", "dev", "connect the monitor, as a serial port", ChannelArguments::monitor);
    add("mon", "[chardev=]id[,mode=readline]", "connect the monitor to a chardev", ChannelArguments::mon);
    add(
        "chardev",
        "stdio|file|null|ringbuf|pipe|pty|serial|socket|udp,id=id[,mux=on|off][,logfile=file][,prop=value]...",
        "make a byte channel for devices to use",
        ChannelArguments::chardev);
    add(
        "nographic", "", "use the terminal for serial port and monitor (Ctrl-a h for help)",
        (d, a) -> d.nographic = true);
    add("display", "none", "no display, and the terminal stays free", ChannelArguments::display);
    add("vga", "none", "there is no graphics card yet", ChannelArguments::onlyNone);
    add("nodefaults", "", "don't connect serial port and monitor unless asked", (d, a) -> d.nodefaults = true);
  }

  private void debugging() {
    add("no-reboot", "", "exit instead of rebooting", (d, a) -> d.noReboot = true);
    add("no-shutdown", "", "stop before shutdown", (d, a) -> d.noShutdown = true);
    add("S", "", "freeze CPU at startup (use 'c' in the monitor to start execution)", (d, a) -> d.paused = true);
    add("d", "item1,...", "enable logging of specified items (use '-d help' for a list)", DebugArguments::items);
    add("D", "logfile", "output log to logfile (default stderr)", DebugArguments::file);
  }

  private void at(String name, String help, String place) {
    add(name, "file", help, StorageArguments.at(name, place));
  }

  private void add(String names, String argument, String help, Option.Handler handler) {
    Option option = new Option(List.of(names.split(" ")), argument, help, handler);
    options.add(option);
    option.names().forEach(n -> byName.put(n, option));
  }

  private static Optional<Path> path(String text) {
    return Optional.of(Path.of(text));
  }

  Optional<Option> find(String name) {
    return Optional.ofNullable(byName.get(name));
  }

  List<Option> options() {
    return List.copyOf(options);
  }

  String help() {
    StringBuilder text = new StringBuilder(Version.text(program));
    text.append("usage: ").append(program).append(" [options] [disk_image]\n\n");
    options.forEach(o -> text.append(o.usage()));
    text.append("\nWith -nographic, Ctrl-a h shows the keys of the terminal; Ctrl-a x ends the emulator.\n");
    return text.toString();
  }
}
