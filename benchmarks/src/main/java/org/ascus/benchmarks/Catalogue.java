package org.ascus.benchmarks;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Every selection there is, with its workloads and their aims. */
final class Catalogue {
  /** How much longer a program runs for its steady state than for its whole run. */
  private static final int STEADY = 3;

  private static final double NO_AIM = Double.NaN;

  /** systemd gives up on the login prompt when the terminal takes 90 s to appear, which it may on a busy machine. */
  private static final String PATIENCE =
      "systemd.default_timeout_start_sec=900 systemd.default_device_timeout_sec=900";

  private Catalogue() {}

  /**
   * A bare-metal program.
   *
   * @param iterations with which QEMU takes about five seconds on a slow machine
   */
  private record Program(String name, int iterations) {}

  private static final List<Program> COMPUTE =
      List.of(
          new Program("sieve", 105),
          new Program("fib", 105),
          new Program("calls", 95),
          new Program("bytecode", 55),
          new Program("records", 120),
          new Program("strings", 230),
          new Program("sort", 75),
          new Program("chase", 20),
          new Program("hash", 65),
          new Program("matrix", 70),
          new Program("fft", 125),
          new Program("sha256", 90),
          new Program("primes", 180),
          new Program("patch", 45),
          new Program("neighbour", 80));

  /** In the order of reports. */
  static List<Selection> selections() {
    return List.of(
        compute(), steady(), micro(), boot(), guestBench(), disk(), network(), tools(), smp(), memory(), startup(),
        idle());
  }

  private static Selection compute() {
    return new Selection(
        "compute",
        "Compute programs, the whole process",
        "Bare-metal C programs that take QEMU about five seconds: `wall` is from the start of the process to its end, "
            + "so it has the emulator's start and warm-up in it.",
        1.0,
        COMPUTE.stream()
            .map(program -> bare("compute", program.name(), program.iterations(), 1, "wall", List.of()))
            .toList());
  }

  private static Selection steady() {
    return new Selection(
        "compute-steady",
        "Compute programs, once warm",
        "The same programs for three times as long: `steady` is the seconds an iteration takes in the last quarter.",
        1 / 1.5,
        COMPUTE.stream()
            .map(
                program ->
                    bare(
                        "compute-steady",
                        program.name(),
                        STEADY * program.iterations(),
                        1,
                        "steady",
                        List.of(Aim.ratio("steady", 1 / 0.9))))
            .toList());
  }

  private static Selection micro() {
    return new Selection(
        "micro",
        "Single costs",
        "Bare-metal programs that do one thing all the time: `operation` is the nanoseconds one takes once warm. What "
            + "an operation is stands at the head of each program in `benchmarks/src/guest`.",
        NO_AIM,
        List.of(
            bare("micro", "trap", 80, 1, "operation", List.of()),
            bare("micro", "syscall", 80, 1, "operation", List.of()),
            bare("micro", "walk", 200, 1, "operation", List.of()),
            bare("micro", "sfence", 100, 1, "operation", List.of()),
            bare("micro", "sfencepage", 50, 1, "operation", List.of()),
            bare("micro", "switch", 50, 1, "operation", List.of()),
            bare("micro", "mmio", 130, 1, "operation", List.of()),
            bare("micro", "patch", 45, 1, "operation", List.of()),
            bare("micro", "neighbour", 80, 1, "operation", List.of()),
            bare("micro", "amo", 100, 2, "operation", List.of()),
            bare("micro", "lock", 100, 2, "operation", List.of())));
  }

  private static Selection boot() {
    Aim ready = Aim.ratio("ready", 2.0);
    return new Selection(
        "boot",
        "Booting Linux",
        "A stock Debian kernel behind OpenSBI: seconds to its first line (`banner`), to user space (`ready`) or to the "
            + "login prompt of a Debian disk (`login`). Each is the first ever, but for `again`, which finds what "
            + "Ascus has kept of a run before.",
        NO_AIM,
        List.of(
            linux("boot/all", 1, "guest.run=true", List.of(ready)),
            again(linux("boot/again", 1, "guest.run=true", List.of(Aim.ratio("ready", 1.5)))),
            linux("boot/mmio", 1, "quiet guest.mods=mmio guest.run=true", List.of(ready)),
            linux("boot/none", 1, "quiet guest.mods=none guest.run=true", List.of(ready)),
            linux("boot/smp2", 2, "guest.run=true", List.of(ready)),
            debian("boot/debian", List.of("login"), List.of(Aim.ratio("login", 1.5)), List.of(new Turn.Stop()))));
  }

  private static Selection guestBench() {
    var workloads = new ArrayList<Workload>();
    for (String work : List.of("openssl", "python", "gzip", "gcc", "sysbench", "exec", "syscalls")) {
      List<String> figures = GUEST_WORK.stream().filter(figure -> figure.startsWith(work)).toList();
      workloads.add(
          new Workload(
              "guest-bench/" + work,
              true,
              figures,
              figures.stream().map(figure -> Aim.ratio(figure, 1.0)).toList(),
              List.of(),
              lab -> {
                var arguments = machine("1G", 1);
                arguments.addAll(disk(lab));
                arguments.addAll(kernel(lab, lab.initramfsWith("guest-bench"),
                    "quiet guest.run=\"sh /guest-bench " + work + "\""));
                return new Workload.Commands(arguments, List.of());
              }));
    }
    return new Selection(
        "guest-bench",
        "Programs in a Debian guest",
        "Seconds for pieces of work in a Debian guest, told from outside by the lines that it prints before and after "
            + "(`benchmarks/src/guest/guest-bench`). Each program has a boot of its own, which does not count.",
        1.0,
        workloads);
  }

  /** The figures of {@code src/guest/guest-bench}; each begins with the workload that it is of. */
  private static final List<String> GUEST_WORK =
      List.of(
          "openssl-sha256", "openssl-aes", "openssl-bignum", "python-start", "python-loop", "python-calls",
          "python-dict", "python-float", "gzip", "gzip-d", "gcc", "sysbench", "exec", "syscalls");

  /** The figures of {@code src/guest/disk-bench}. */
  private static final List<String> DISK_WORK =
      List.of("write", "read", "randread-1", "randread-16", "randwrite-1", "randwrite-16");

  /** Whether an image is sound; 3 says that it has clusters that nobody uses, which a guest's end may leave. */
  private static final String SOUND = "[ $1 = raw ] || qemu-img check -q -f $1 $2 2>&1 || [ $? = 3 ]";

  /**
   * A disk that is new in each run.
   *
   * @param device with {@code drive=scratch}, and with the serial number by which the guest finds it
   */
  private record Disk(String name, String format, List<String> device) {}

  private static Selection disk() {
    List<String> blk = List.of("-device", "virtio-blk-pci,drive=scratch,serial=scratch");
    List<String> scsi =
        List.of("-device", "virtio-scsi-pci", "-device", "scsi-hd,drive=scratch,serial=scratch");
    return new Selection(
        "disk",
        "Disks in a Debian guest",
        "Seconds that fio needs in a Debian guest for an amount of direct I/O (`benchmarks/src/guest/disk-bench`) to a "
            + "disk that is empty at first and has been written when it is read: in pieces of 1 MiB from its start to "
            + "its end, and of 4 KiB here and there, one or sixteen at once. The host has it in its page cache. What "
            + "was written is verified behind that.",
        1.0,
        Stream.of(
                new Disk("blk-raw", "raw", blk),
                new Disk("blk-qcow2", "qcow2", blk),
                new Disk("scsi-raw", "raw", scsi))
            .map(Catalogue::fio)
            .toList());
  }

  private static Workload fio(Disk disk) {
    List<String> figures = DISK_WORK.stream().map(work -> disk.name() + "-" + work).toList();
    return new Workload(
        "disk/" + disk.name(),
        true,
        figures,
        figures.stream().map(figure -> Aim.ratio(figure, 1.0)).toList(),
        List.of(),
        lab -> {
          String image = lab.scratch("disk");
          var arguments = machine("1G", 1);
          arguments.addAll(disk(lab));
          arguments.addAll(List.of("-drive", "file=" + image + ",if=none,id=scratch,format=" + disk.format()));
          arguments.addAll(disk.device());
          arguments.addAll(
              kernel(
                  lab,
                  lab.initramfsWith("disk-bench"),
                  "quiet guest.run=\"sh /disk-bench " + disk.name() + (lab.quick() ? " 10" : " 1") + "\""));
          return new Workload.Commands(
              Workload.Program.EMULATOR,
              arguments,
              List.of(),
              List.of(
                  List.of("rm", "-f", image),
                  List.of("qemu-img", "create", "-q", "-f", disk.format(), image, "1G")),
              List.of(List.of("sh", "-c", SOUND, "sh", disk.format(), image)));
        });
  }

  private static Selection network() {
    return new Selection(
        "network",
        "Transfers between a Debian guest and the host",
        "Seconds that transfers over `-netdev user` and a network card take: `http` is a download of 128 MiB with "
            + "`wget` into memory, whose SHA-256 must be right; `send` and `receive` are 256 MiB with `iperf3` from "
            + "and to the guest, its start included. A server on the host's loopback interface is the other end, and "
            + "its processor time is not in `cpu`.",
        1.0,
        List.of(transfers("virtio", "virtio-net-pci"), transfers("e1000e", "e1000e")));
  }

  private static Workload transfers(String name, String card) {
    List<String> figures = List.of(name + "-http", name + "-send", name + "-receive");
    return new Workload(
        "network/" + name,
        true,
        figures,
        figures.stream().map(figure -> Aim.ratio(figure, 1.0)).toList(),
        List.of(),
        lab -> {
          HostServers.Web web = HostServers.web(lab.iterations(128));
          var arguments = machine("1G", 1);
          arguments.addAll(disk(lab));
          // Without its boot ROM, which QEMU has in a package of its own.
          arguments.addAll(List.of("-netdev", "user,id=n", "-device", card + ",netdev=n,romfile="));
          String words =
              "quiet guest.net guest.run=\"CARD=%s WEB=%d SHA256=%s IPERF=%d MIB=%d sh /guest-bench network\""
                  .formatted(name, web.port(), web.sha256(), HostServers.iperf3(), lab.iterations(256));
          arguments.addAll(kernel(lab, lab.initramfsWith("guest-bench"), words));
          return new Workload.Commands(arguments, List.of());
        });
  }

  private static Selection tools() {
    return new Selection(
        "tools",
        "Image tools",
        "`wall`: seconds from start to end of `ascus-img` and `qemu-img`, on images of 4 GiB of which half is zeroes. "
            + "The start of the JVM is in it.",
        NO_AIM,
        List.of(
            tool("convert-to-qcow2", 1.25, "raw", List.of("convert", "-f", "raw", "-O", "qcow2", "SOURCE", "OUT"),
                "qcow2"),
            tool("convert-to-raw", 1.25, "qcow2", List.of("convert", "-f", "qcow2", "-O", "raw", "SOURCE", "OUT"),
                "raw"),
            tool("compare", NO_AIM, "qcow2", List.of("compare", "-f", "qcow2", "-F", "raw", "SOURCE", "RAW"), ""),
            tool("check", NO_AIM, "qcow2", List.of("check", "-f", "qcow2", "SOURCE"), ""),
            tool("info", NO_AIM, "qcow2", List.of("info", "-f", "qcow2", "SOURCE"), "")));
  }

  /**
   * A call of an image tool.
   *
   * @param aim the greatest good ratio
   * @param source the format of what it reads
   * @param words its arguments; SOURCE, RAW and OUT stand for the files
   * @param out the format of what it writes; empty if it writes nothing
   */
  private static Workload tool(String name, double aim, String source, List<String> words, String out) {
    return new Workload(
        "tools/" + name,
        false,
        List.of("wall"),
        Double.isNaN(aim) ? List.of() : List.of(Aim.ratio("wall", aim)),
        List.of(new Turn.End()),
        lab -> {
          String raw = lab.image("raw");
          String from = lab.image(source);
          String to = lab.scratch("out");
          var paths = Map.of("SOURCE", from, "RAW", raw, "OUT", to);
          return new Workload.Commands(
              Workload.Program.IMAGE_TOOL,
              words.stream().map(word -> paths.getOrDefault(word, word)).toList(),
              List.of(),
              List.of(List.of("rm", "-f", to)),
              out.isEmpty() ? List.of()
                  : List.of(List.of("qemu-img", "compare", "-q", "-f", "raw", "-F", out, raw, to)));
        });
  }

  private static Selection smp() {
    return new Selection(
        "smp",
        "Work shared by harts",
        "The same work on one, two and four harts: `work` is the seconds from the program's first line to its last.",
        NO_AIM,
        List.of(
            bare("smp", "scale", 40, 1, "work", List.of()),
            bare("smp", "scale", 40, 2, "work", List.of()),
            bare("smp", "scale", 40, 4, "work", List.of())));
  }

  private static Selection memory() {
    var boot = linux("memory/boot", 1, "guest.run=true", List.of());
    return new Selection(
        "memory",
        "Peak memory",
        "`rss`: the most memory, in MiB, that was resident at any time. The boot has 512 MiB of RAM, the disk's "
            + "machine 1 GiB, the program that follows pointers through 64 MiB has 128 MiB.",
        NO_AIM,
        List.of(
            bare("memory", "chase", 20, 1, "rss", List.of()),
            new Workload(
                boot.name(), false, List.of("rss"), List.of(Aim.value("rss", 512 + 500)), boot.turns(),
                boot.preparation()),
            debian("memory/debian", List.of("rss"), List.of(), List.of(new Turn.Stop()))));
  }

  private static Selection startup() {
    return new Selection(
        "startup",
        "From the start of the process to the guest",
        "Seconds until the first line of a bare-metal program (`start`), and until OpenSBI's (`banner`).",
        NO_AIM,
        List.of(
            bare("startup", "hello", 1, 1, "start", List.of(Aim.value("start", 0.3))),
            new Workload(
                "startup/firmware",
                false,
                List.of("banner"),
                List.of(),
                List.of(new Turn.Await("OpenSBI", "banner"), new Turn.Stop()),
                lab -> {
                  var arguments = machine("128M", 1);
                  arguments.addAll(List.of("-bios", lab.guestFile("fw/fw_dynamic.bin")));
                  return new Workload.Commands(arguments, List.of());
                })));
  }

  private static Selection idle() {
    List<Turn> prompt =
        List.of(
            new Turn.Await(" # ", "prompt"),
            new Turn.Watch(Duration.ofSeconds(3), Duration.ofSeconds(10), "idle"),
            new Turn.Stop());
    List<Turn> login =
        List.of(
            new Turn.Send("root\n"),
            new Turn.Await("assword:", "password"),
            new Turn.Send("root\n"),
            new Turn.Await("# ", "prompt"),
            new Turn.Watch(Duration.ofSeconds(20), Duration.ofSeconds(30), "idle"),
            new Turn.Stop());
    return new Selection(
        "idle",
        "Idle at the prompt",
        "Per cent of one host core that the emulator takes while the guest waits at its prompt.",
        NO_AIM,
        List.of(
            new Workload(
                "idle/shell", false, List.of("idle"), List.of(), prompt,
                lab -> linuxCommands(lab, 1, "quiet guest.mods=mmio")),
            new Workload(
                "idle/shell-smp2", false, List.of("idle"), List.of(), prompt,
                lab -> linuxCommands(lab, 2, "quiet guest.mods=mmio")),
            debian("idle/debian", List.of("idle"), List.of(Aim.value("idle", 3)), login)));
  }

  private static Workload bare(
      String selection, String program, int iterations, int harts, String headline, List<Aim> aims) {
    String name = selection + "/" + program + (selection.equals("smp") ? "-" + harts : "");
    boolean hosted = !selection.equals("startup") && !selection.equals("memory");
    return new Workload(
        name,
        false,
        List.of(headline),
        aims,
        List.of(),
        lab -> {
          int rounds = lab.iterations(iterations);
          var arguments = machine("128M", harts);
          arguments.addAll(List.of("-bios", "none", "-kernel", lab.program(program, rounds, harts, false).toString()));
          boolean portable = hosted && lab.buildsForHost(program);
          return new Workload.Commands(
              arguments, portable ? List.of(lab.program(program, rounds, harts, true).toString()) : List.of());
        });
  }

  private static Workload linux(String name, int harts, String words, List<Aim> aims) {
    var ready = new Turn.Await("GUEST-READY", "ready");
    return new Workload(
        name,
        false,
        List.of("ready"),
        aims,
        words.startsWith("quiet") ? List.of(ready) : List.of(new Turn.Await("Linux version", "banner"), ready),
        lab -> linuxCommands(lab, harts, words));
  }

  private static Workload again(Workload first) {
    return new Workload(
        first.name(), first.slow(), first.headlines(), first.aims(), first.turns(),
        lab -> first.preparation().prepare(lab).onceMore());
  }

  private static Workload.Commands linuxCommands(Lab lab, int harts, String words) throws UserException {
    var arguments = machine("512M", harts);
    arguments.addAll(kernel(lab, lab.guestFile("initramfs.cpio.gz"), words));
    return new Workload.Commands(arguments, List.of());
  }

  private static Workload debian(String name, List<String> headlines, List<Aim> aims, List<Turn> afterLogin) {
    var turns = new ArrayList<Turn>();
    turns.add(new Turn.Await("Linux version", "banner"));
    turns.add(new Turn.Await("login:", "login"));
    turns.addAll(afterLogin);
    return new Workload(
        name,
        true,
        headlines,
        aims,
        List.copyOf(turns),
        lab -> {
          var arguments = machine("1G", 1);
          arguments.addAll(disk(lab));
          arguments.addAll(kernel(lab, lab.guestFile("initramfs.cpio.gz"), "guest.boot " + PATIENCE));
          return new Workload.Commands(arguments, List.of());
        });
  }

  private static List<String> machine(String memory, int harts) {
    return new ArrayList<>(
        List.of("-M", "virt", "-m", memory, "-smp", "" + harts, "-nographic", "-no-reboot", "-nic", "none"));
  }

  private static List<String> disk(Lab lab) throws UserException {
    return List.of(
        "-drive", "file=" + lab.guestFile("disk.raw") + ",if=none,id=d,format=raw,snapshot=on",
        "-device", "virtio-blk-device,drive=d");
  }

  private static List<String> kernel(Lab lab, String initramfs, String words) throws UserException {
    return List.of(
        "-bios", lab.guestFile("fw/fw_dynamic.bin"),
        "-kernel", lab.guestFile("Image"),
        "-initrd", initramfs,
        "-append", "console=ttyS0 " + words);
  }
}
