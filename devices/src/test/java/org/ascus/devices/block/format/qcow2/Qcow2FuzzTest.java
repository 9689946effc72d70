package org.ascus.devices.block.format.qcow2;

import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.junit.jupiter.api.Test;

/** Images that lie: an error that a person understands, or some bytes; never an exception of another kind. */
class Qcow2FuzzTest {
  private static final int SIZE = 1 << 18;

  private static final Qcow2Node.Files NO_FILES =
      new Qcow2Node.Files() {
        @Override
        public Optional<BlockNode> backing(String name, String format) {
          return Optional.empty();
        }

        @Override
        public BlockNode data(String name) {
          return new CrashNode(new byte[SIZE]);
        }
      };

  private static byte[] image(boolean extended) throws BlockException {
    CrashNode file = new CrashNode(new byte[0]);
    Qcow2Options options =
        extended ? Qcow2Options.of(SIZE).withClusterSize(1 << 14).withExtendedL2(true).withZstd(true)
            : Qcow2Options.of(SIZE).withClusterSize(1024);
    try (Qcow2Node node = Qcow2Node.create(file, options.withBacking("base", "raw"), NO_FILES)) {
      node.write(3000, ByteBuffer.allocate(100_000));
      node.snapshots().create("name", 0, 0);
      node.writeCompressed(1 << 14, ByteBuffer.allocate(node.clusterSize()));
      node.write(150_000, ByteBuffer.allocate(1000));
    }
    return file.afterKill();
  }

  private static void use(byte[] bytes) throws BlockException {
    CrashNode file = new CrashNode(bytes);
    try {
      Qcow2Check.check(new CrashNode(bytes), Qcow2Check.Repair.NONE);
    } catch (BlockException e) {
      // Told in words.
    }
    try (Qcow2Node node = Qcow2Node.open(file, NO_FILES, false)) {
      int size = (int) Math.min(SIZE, node.size());
      node.read(0, ByteBuffer.allocate(size));
      node.extent(0, size);
      for (Snapshots.Snapshot snapshot : node.snapshots().list()) {
        node.snapshots().apply(snapshot);
      }
      file.failAfter(200);
      node.writeZeroes(0, size, true);
      node.write(0, ByteBuffer.allocate(size));
      node.discard(0, size);
      node.flush();
    }
  }

  @Test
  void changedTablesGiveBytesOrAnError() throws Exception {
    for (boolean extended : new boolean[] {false, true}) {
      byte[] good = image(extended);
      int cluster = extended ? 1 << 14 : 1024;
      for (int seed = 0; seed < 1500; seed++) {
        Random random = new Random(seed);
        byte[] bad = good.clone();
        for (int i = 1 + random.nextInt(4); i > 0; i--) {
          int at = switch (random.nextInt(3)) {
            case 0 -> random.nextInt(200);
            case 1 -> random.nextInt(bad.length / cluster) * cluster + random.nextInt(64);
            default -> random.nextInt(bad.length);
          };
          bad[at] = (byte) (random.nextBoolean() ? random.nextInt() : bad[at] ^ 1 << random.nextInt(8));
        }
        try {
          use(random.nextInt(10) == 0 ? Arrays.copyOf(bad, random.nextInt(bad.length)) : bad);
        } catch (BlockException | CrashNode.PowerFailure e) {
          // Told in words, or enough written.
        } catch (RuntimeException | OutOfMemoryError e) {
          fail("extended " + extended + " seed " + seed, e);
        }
      }
    }
  }

  @Test
  void headersThatMakeNoSenseAreRefusedWithTheReason() throws Exception {
    byte[] good = image(false);
    refuse(good, 0, 0, "not a qcow2 image (magic 0x00000000 at offset 0)");
    refuse(good, 4, 9, "Unsupported qcow2 version 9");
    refuse(good, 20, 40, "Unsupported cluster size: 2^40");
    refuse(good, 20, 8, "Unsupported cluster size");
    refuse(good, 32, 2, "LUKS encryption header pointer missing");
    refuse(good, 32, 3, "Unsupported encryption method 3");
    refuse(good, 36, 0, "L1 table is too small");
    refuse(good, 36, 0x7fffffff, "Active L1 table too large");
    refuse(good, 44, 7, "Active L1 table offset invalid");
    refuse(good, 56, 0, "does not contain a reference count table");
    refuse(good, 76, 1 << 20, "Unsupported qcow2 feature(s)");
    refuse(good, 76, 2, "Image is corrupt");
    refuse(good, 96, 7, "width");
    refuse(good, 100, 3, "header too short");
    refuse(good, 116, 100_000, "Header extension too large");
    refuse(good, 16, 5000, "Invalid backing file name");
  }

  private static void refuse(byte[] good, int at, int value, String reason) {
    byte[] bad = good.clone();
    ByteBuffer.wrap(bad).putInt(at, value);
    assertThatThrownBy(() -> Qcow2Node.open(new CrashNode(bad), NO_FILES, false))
        .isInstanceOf(BlockException.class)
        .hasMessageContaining("'crash'")
        .hasMessageContaining(reason);
  }
}
