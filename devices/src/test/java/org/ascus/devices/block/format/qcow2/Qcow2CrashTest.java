package org.ascus.devices.block.format.qcow2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.github.luben.zstd.Zstd;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Optional;
import java.util.Random;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.protocol.FileProtocol;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whenever a process dies: no corrupt image, nothing lost that was flushed. */
class Qcow2CrashTest {
  private static final int SIZE = 1 << 20;
  private static final int SECTOR = 512;

  private static final Qcow2Node.Files NO_FILES =
      new Qcow2Node.Files() {
        @Override
        public Optional<BlockNode> backing(String name, String format) {
          return Optional.empty();
        }

        @Override
        public BlockNode data(String name) throws BlockException {
          throw new BlockException(name);
        }
      };

  @TempDir private Path dir;

  /** What must be on the disk: the bytes as of the last flush, and the sectors that were touched since then. */
  private static final class Expected {
    final byte[] now = new byte[SIZE];
    byte[] flushed = new byte[SIZE];
    final BitSet touched = new BitSet();

    void touch(int offset, int length) {
      touched.set(offset / SECTOR, Math.ceilDiv(offset + length, SECTOR));
    }

    void flushed() {
      flushed = now.clone();
      touched.clear();
    }

    void compare(BlockNode node) throws BlockException {
      ByteBuffer got = ByteBuffer.allocate(SIZE);
      node.read(0, got);
      for (int sector = touched.nextClearBit(0); sector < SIZE / SECTOR; sector = touched.nextClearBit(sector + 1)) {
        int at = sector * SECTOR;
        if (!got.slice(at, SECTOR).equals(ByteBuffer.wrap(flushed, at, SECTOR))) {
          throw new AssertionError("sector " + sector + " has lost what was flushed");
        }
      }
    }
  }

  private static void run(BlockNode node, Expected expected, Random random, int requests) throws BlockException {
    for (int i = 0; i < requests; i++) {
      int offset = random.nextInt(SIZE / SECTOR) * SECTOR;
      int length = Math.min(SIZE - offset, (1 + random.nextInt(1 << random.nextInt(8))) * SECTOR);
      int kind = random.nextInt(8);
      if (kind == 0) {
        expected.touch(offset, length);
        node.discard(offset, length);
        ByteBuffer got = ByteBuffer.allocate(length);
        node.read(offset, got);
        System.arraycopy(got.array(), 0, expected.now, offset, length);
      } else if (kind == 1) {
        node.flush();
        expected.flushed();
      } else {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        expected.touch(offset, length);
        node.write(offset, ByteBuffer.wrap(bytes));
        System.arraycopy(bytes, 0, expected.now, offset, length);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"plain", "small", "lazy", "subclusters", "snapshot"})
  void aPowerFailureBetweenAnyTwoWritesCorruptsNothing(String kind) throws Exception {
    Qcow2Options defaults = Qcow2Options.of(SIZE).withClusterSize(4096);
    Qcow2Options options = switch (kind) {
      case "small" -> defaults.withClusterSize(512).withRefcountBits(64);
      case "lazy" -> defaults.withLazyRefcounts(true);
      case "subclusters" -> defaults.withClusterSize(1 << 14).withExtendedL2(true);
      default -> defaults;
    };
    CrashNode empty = new CrashNode(new byte[0]);
    try (Qcow2Node node = Qcow2Node.create(empty, options, NO_FILES)) {
      if (kind.equals("snapshot")) {
        run(node, new Expected(), new Random(9), 30);
        node.writeZeroes(0, SIZE, false);
        node.snapshots().create("s", 0, 0);
      }
    }
    for (int seed = 0; seed < 60; seed++) {
      Random random = new Random(seed);
      CrashNode file = new CrashNode(empty.afterKill());
      Expected expected = new Expected();
      Qcow2Node node = Qcow2Node.open(file, NO_FILES, false);
      file.failAfter(random.nextInt(300));
      try {
        run(node, expected, random, 150);
      } catch (CrashNode.PowerFailure e) {
        // What the test is about.
      }
      sound(file.afterKill(), expected, kind + " " + seed + " killed");
      sound(file.afterPowerFailure(random), expected, kind + " " + seed + " without power");
    }
  }

  private static void sound(byte[] image, Expected expected, String what) throws BlockException {
    CrashNode left = new CrashNode(image);
    boolean lazy = (Header.read(new ImageFile(left)).incompatible & Features.DIRTY) != 0;
    CheckResult result = Qcow2Check.check(left, Qcow2Check.Repair.NONE);
    assertThat(lazy ? 0 : result.corruptions).as(what + ": " + result.messages).isZero();
    try (Qcow2Node node = Qcow2Node.open(left, NO_FILES, false)) {
      expected.compare(node);
    }
  }

  /** What a writer does to sectors; the same seed gives the same requests. */
  private record Request(Kind kind, int sector, int count) {
    enum Kind {
      WRITE,
      ZERO,
      UNMAP,
      DISCARD,
      FLUSH
    }

    static Request next(Random random, int sectors) {
      int kind = random.nextInt(40);
      int sector = random.nextInt(sectors);
      int count = Math.min(sectors - sector, 1 + random.nextInt(1 << random.nextInt(10)));
      return new Request(
          switch (kind) {
            case 0, 1 -> Kind.FLUSH;
            case 2, 3 -> Kind.ZERO;
            case 4, 5 -> Kind.UNMAP;
            case 6, 7 -> Kind.DISCARD;
            default -> Kind.WRITE;
          },
          sector, count);
    }
  }

  /** Sends requests to the image named by its first argument until it is killed, and says what it has flushed. */
  static final class Writer {
    private Writer() {}

    public static void main(String[] arguments) throws Exception {
      try (BlockNode node = Images.open(Path.of(arguments[0]))) {
        Random random = new Random(Long.parseLong(arguments[1]));
        for (int number = 1; number < 1_000_000; number++) {
          Request next = Request.next(random, (int) (node.size() / SECTOR));
          long offset = (long) next.sector() * SECTOR;
          int length = next.count() * SECTOR;
          switch (next.kind()) {
            case WRITE -> {
              ByteBuffer bytes = ByteBuffer.allocate(length);
              for (int at = 0; at < length; at += SECTOR) {
                bytes.putInt(at, number);
              }
              node.write(offset, bytes);
            }
            case ZERO -> node.writeZeroes(offset, length, false);
            case UNMAP -> node.writeZeroes(offset, length, true);
            case DISCARD -> node.discard(offset, length);
            case FLUSH -> {
              node.flush();
              System.out.write(ByteBuffer.allocate(4).putInt(number).array());
              System.out.flush();
            }
          }
        }
      }
    }
  }

  private static Qcow2Options anyKind(Random random) {
    int bits = random.nextInt(8);
    Qcow2Options options =
        Qcow2Options.of(16 << 20).withClusterSize(512 << bits).withRefcountBits(1 << random.nextInt(7));
    return switch (random.nextInt(4)) {
      case 0 -> options.withLazyRefcounts(true);
      case 1 -> options.withClusterSize(1 << 14 + random.nextInt(3)).withExtendedL2(true);
      case 2 -> options.withRefcountBits(16).withVersion(2);
      default -> options;
    };
  }

  @Test
  void nothingFlushedIsLostWhenAWriterIsKilled() throws Exception {
    assumeTrue(Images.have("qemu-img"), "qemu-img is not installed");
    Random random = new Random();
    int kills = Integer.getInteger("ascus.qcow2.kills", 3);
    for (int i = 0; i < kills; i++) {
      Path path = Files.write(dir.resolve("disk.qcow2"), new byte[0]);
      Qcow2Options options = anyKind(random);
      Images.create(path, options).close();
      long seed = random.nextLong();
      String what = "kill " + i + ", seed " + seed + ", " + options;
      int last = runAndKill(path, seed, random.nextInt(40));
      if (options.lazyRefcounts()) {
        // Until somebody opens it, such an image has counts that are too low.
        Images.open(path).close();
      }
      Images.Output check = Images.run(dir, "qemu-img", "check", "disk.qcow2");
      assertThat(check.code()).as(what + ": " + check.text()).isIn(0, 3);
      try (BlockNode node = Images.open(path)) {
        compare(node, seed, last, what);
      }
    }
  }

  /** Runs a writer until it has flushed {@code flushes} times and a little longer; returns its last flushed write. */
  private int runAndKill(Path path, long seed, int flushes) throws IOException, InterruptedException {
    Process writer =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED",
                "-cp", classPath(), Writer.class.getName(), path.toString(), Long.toString(seed))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    int last = 0;
    byte[] number = new byte[4];
    for (int i = 0; i <= flushes && writer.getInputStream().readNBytes(number, 0, 4) == 4; i++) {
      last = ByteBuffer.wrap(number).getInt();
    }
    // The process object would close the pipe.
    writer.toHandle().destroyForcibly();
    while (writer.getInputStream().readNBytes(number, 0, 4) == 4) {
      last = ByteBuffer.wrap(number).getInt();
    }
    writer.waitFor();
    return last;
  }

  private static String classPath() {
    StringBuilder path = new StringBuilder();
    for (Class<?> c : new Class<?>[] {Writer.class, BlockNode.class, Zstd.class}) {
      path.append(Path.of(c.getProtectionDomain().getCodeSource().getLocation().getPath())).append(':');
    }
    return path.toString();
  }

  /** Looks for what was flushed, where nothing was on its way when the writer was killed. */
  private static void compare(BlockNode node, long seed, int last, String what) throws BlockException {
    Random random = new Random(seed);
    int[] expected = new int[(int) (node.size() / SECTOR)];
    int anything = -1;
    Request request = Request.next(random, expected.length);
    for (int number = 1; number <= last || request.kind() != Request.Kind.FLUSH; number++) {
      int value = switch (request.kind()) {
        case WRITE -> number;
        case ZERO, UNMAP -> 0;
        case DISCARD -> anything;
        case FLUSH -> expected[request.sector()];
      };
      int end = request.sector() + (request.kind() == Request.Kind.FLUSH ? 1 : request.count());
      Arrays.fill(expected, request.sector(), end, number <= last ? value : anything);
      request = Request.next(random, expected.length);
    }
    ByteBuffer got = ByteBuffer.allocate(SECTOR);
    for (int sector = 0; sector < expected.length; sector++) {
      if (expected[sector] != anything) {
        node.read((long) sector * SECTOR, got.clear());
        String where = what + ", sector " + sector + " after request " + last;
        assertThat(got.getInt(0)).as(where).isEqualTo(expected[sector]);
      }
    }
  }

  @Test
  void theFileIsLeftAsItWasByReaders() throws Exception {
    Path path = Files.write(dir.resolve("disk.qcow2"), new byte[0]);
    Images.create(path, Qcow2Options.of(SIZE)).close();
    byte[] before = Files.readAllBytes(path);
    try (FileProtocol file = FileProtocol.open(path, new FileProtocol.Options(true, true, true));
        Qcow2Node node = Qcow2Node.open(file, NO_FILES, false)) {
      node.read(0, ByteBuffer.allocate(SIZE));
      node.flush();
    }
    assertThat(Files.readAllBytes(path)).isEqualTo(before);
  }
}
