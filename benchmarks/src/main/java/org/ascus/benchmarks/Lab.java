package org.ascus.benchmarks;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.TRUNCATE_EXISTING;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.Stream;

/**
 * What workloads are made from.
 *
 * @param root the project's top folder
 * @param guest the folder of the Linux guest, see {@code tests/guests/make-guest.sh}
 * @param quick whether workloads should be a tenth as long
 */
record Lab(Path root, Path guest, boolean quick) {
  private static final int LEAST_ITERATIONS = 8;
  private static final long IMAGE_BYTES = 4L << 30;
  private static final int IMAGE_RUN = 1 << 20;

  /** So many iterations, or a tenth of them in a quick run. */
  int iterations(int full) {
    return quick ? Math.max(Math.min(full, LEAST_ITERATIONS), full / 10) : full;
  }

  /** Builds a program of {@code src/guest} for the bare {@code virt} board or for this machine. */
  Path program(String name, int iterations, int harts, boolean forHost)
      throws IOException, InterruptedException, UserException {
    String folder = iterations + "x" + harts + (forHost ? "-host" : "");
    Path out = root.resolve("benchmarks/target/guest").resolve(folder);
    var command = new ArrayList<String>();
    command.add(root.resolve("benchmarks/bin/build-guests").toString());
    if (forHost) {
      command.add("--host");
    }
    command.addAll(List.of("--harts", "" + harts, out.toString(), "" + iterations, name));
    if (call(command) != 0) {
      throw new UserException("the program " + name + " could not be built");
    }
    return out.resolve(forHost ? name : name + ".elf");
  }

  /** Runs a command of this machine; returns what it exits with. */
  static int call(List<String> command) throws IOException, InterruptedException {
    return new ProcessBuilder(command)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start()
        .waitFor();
  }

  /** An image of {@value #IMAGE_BYTES} bytes in a format of qemu-img's, with data and zeroes in turn. */
  String image(String format) throws IOException, InterruptedException, UserException {
    Path raw = Path.of(scratch("source.raw"));
    if (!Files.exists(raw)) {
      Path made = Path.of(scratch("source.new"));
      var bytes = new byte[IMAGE_RUN];
      var random = new Random(1);
      try (var file = FileChannel.open(made, CREATE, WRITE, TRUNCATE_EXISTING)) {
        for (long at = 0; at < IMAGE_BYTES; at += 2L * IMAGE_RUN) {
          random.nextBytes(bytes);
          file.write(ByteBuffer.wrap(bytes), at);
        }
        file.write(ByteBuffer.allocate(1), IMAGE_BYTES - 1);
      }
      Files.move(made, raw);
    }
    Path image = Path.of(scratch("source." + format));
    if (!Files.exists(image)) {
      var command = List.of("qemu-img", "convert", "-f", "raw", "-O", format, raw.toString(), image.toString());
      if (call(command) != 0) {
        throw new UserException("failed: " + String.join(" ", command));
      }
    }
    return image.toString();
  }

  /** What emulators keep for later runs is here. */
  Path cache() {
    return root.toAbsolutePath().resolve("benchmarks/target/cache");
  }

  /** Has the next run find nothing of earlier ones. */
  void forgetRuns() throws IOException {
    try (Stream<Path> files = Files.exists(cache()) ? Files.walk(cache()) : Stream.empty()) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Files.delete(file);
      }
    }
  }

  /** The path of a file that a run writes. */
  String scratch(String name) throws IOException {
    Path folder = Files.createDirectories(root.resolve("benchmarks/target/scratch"));
    return folder.resolve(name).toString();
  }

  /** Whether the program has a form for this machine, and there is a compiler to make it. */
  boolean buildsForHost(String name) {
    String compiler = System.getenv().getOrDefault("CC", "cc");
    if (Stream.of(System.getenv("PATH").split(":")).noneMatch(path -> Files.exists(Path.of(path, compiler)))) {
      return false;
    }
    return Stream.of("compute", "smp")
        .anyMatch(folder -> Files.exists(root.resolve("benchmarks/src/guest").resolve(folder).resolve(name + ".c")));
  }

  /** A file of the Linux guest. */
  String guestFile(String name) throws UserException {
    Path file = guest.resolve(name);
    if (!Files.exists(file)) {
      String how = "tests/guests/make-guest.sh " + (name.startsWith("disk") ? "--disk riscv64" : "riscv64");
      throw new UserException(file + " is missing: make it with " + how + ", or say --guest FOLDER");
    }
    return file.toString();
  }

  /**
   * The guest's initramfs with a file of {@code src/guest} in its top folder. Linux unpacks archives that follow one
   * another in the same file.
   */
  String initramfsWith(String name) throws IOException, UserException {
    Path made = root.resolve("benchmarks/target/guest/initramfs-with-" + name);
    Files.createDirectories(made.getParent());
    var all = new ByteArrayOutputStream();
    all.write(Files.readAllBytes(Path.of(guestFile("initramfs.cpio.gz"))));
    pad(all);
    addEntry(all, name, 0100755, Files.readAllBytes(root.resolve("benchmarks/src/guest").resolve(name)));
    addEntry(all, "TRAILER!!!", 0, new byte[0]);
    Files.write(made, all.toByteArray());
    return made.toString();
  }

  /** A cpio archive's entry in the form that Linux calls newc: a header of hexadecimal fields, name, content. */
  private static void addEntry(ByteArrayOutputStream out, String name, int mode, byte[] content) {
    byte[] nameBytes = (name + "\0").getBytes(StandardCharsets.US_ASCII);
    var header = new StringBuilder("070701");
    for (int field : new int[] {0, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, nameBytes.length, 0}) {
      header.append(String.format(Locale.ROOT, "%08X", field));
    }
    out.writeBytes(header.toString().getBytes(StandardCharsets.US_ASCII));
    out.writeBytes(nameBytes);
    pad(out);
    out.writeBytes(content);
    pad(out);
  }

  private static void pad(ByteArrayOutputStream out) {
    while (out.size() % 4 != 0) {
      out.write(0);
    }
  }
}
