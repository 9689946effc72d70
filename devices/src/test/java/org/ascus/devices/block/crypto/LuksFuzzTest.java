package org.ascus.devices.block.crypto;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.protocol.FileProtocol;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** LUKS headers that lie: an error that a person understands. */
class LuksFuzzTest {
  private static final FileProtocol.Options GROWABLE = new FileProtocol.Options(false, true, true);

  @TempDir private Path dir;

  private Path volume() throws Exception {
    Path path = Files.createFile(dir.resolve("disk.luks"));
    LuksOptions options = LuksOptions.parse(Map.of("cipher-alg", "aes-128", "iter-time", "1"));
    LuksNode.create(FileProtocol.open(path, GROWABLE), options, "pass".getBytes(), 4096).close();
    return path;
  }

  private static void use(Path path) throws BlockException {
    try (BlockNode file = FileProtocol.open(path, GROWABLE)) {
      LuksVolume volume = LuksVolume.open(file, 0, file.size());
      long rounds = volume.header().digestIterations()
          + volume.header().slots().stream().filter(LuksHeader.Slot::active)
              .mapToLong(LuksHeader.Slot::iterations).sum();
      // How long a derivation may take is the owner's choice, not a test's.
      if (rounds < 1_000_000) {
        volume.ciphers("pass".getBytes());
      }
    }
  }

  @Test
  void changedHeadersGiveAnErrorOrOpen() throws Exception {
    Path path = volume();
    byte[] good = Files.readAllBytes(path);
    int opened = 0;
    for (int seed = 0; seed < 400; seed++) {
      Random random = new Random(seed);
      byte[] bad = good.clone();
      for (int i = 1 + random.nextInt(3); i > 0; i--) {
        int at = random.nextInt(LuksHeader.BYTES);
        bad[at] = (byte) (random.nextBoolean() ? random.nextInt() : bad[at] ^ 1 << random.nextInt(8));
      }
      Files.write(path, random.nextInt(10) == 0 ? java.util.Arrays.copyOf(bad, random.nextInt(bad.length)) : bad);
      try {
        use(path);
        opened++;
      } catch (BlockException e) {
        assertThat(e.getMessage()).contains(path.toString());
      } catch (RuntimeException | OutOfMemoryError e) {
        fail("seed " + seed, e);
      }
    }
    assertThat(opened).isBetween(1, 399);
  }

  @Test
  void headersThatMakeNoSenseAreRefusedWithTheReason() throws Exception {
    Path path = volume();
    byte[] good = Files.readAllBytes(path);
    refuse(path, good, 4, 0xbabe0002, "LUKS version 2");
    refuse(path, good, 8, 0x78787878, "Algorithm 'xxxx");
    refuse(path, good, 40, 0x78787878, "Cipher mode 'xxxx");
    refuse(path, good, 72, 0x78787878, "Hash algorithm 'xxxx");
    refuse(path, good, 104, 1, "overlapping");
    refuse(path, good, 108, 0x7fffffff, "key size");
    refuse(path, good, 164, 0, "iteration count is zero");
    refuse(path, good, 208, 5, "state (active/disable) is corrupted");
    refuse(path, good, 212, 0, "iteration count is zero");
    refuse(path, good, 248, 1, "overlapping with the LUKS header");
    refuse(path, good, 248, 0x7fffffff, "overlapping with the encrypted payload");
    refuse(path, good, 252, 0x7fffffff, "stripes");
    refuse(path, good, 296, ByteBuffer.wrap(good).getInt(248) + 1, "overlapping in the header");
  }

  private static void refuse(Path path, byte[] good, int at, int value, String reason) throws Exception {
    byte[] bad = good.clone();
    ByteBuffer.wrap(bad).putInt(at, value);
    Files.write(path, bad);
    assertThatThrownBy(() -> use(path)).isInstanceOf(BlockException.class).hasMessageContaining(reason);
  }
}
