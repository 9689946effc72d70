package org.ascus.devices.block.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.BlockNodeContract;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code cache.direct=on}: aligned or not, through the page cache or past it, the bytes are the same. */
class DirectFileTest extends BlockNodeContract {
  private static final int PAGE = HostFile.DIRECT_UNIT;

  @TempDir private Path dir;

  @Override
  protected BlockNode node(byte[] content) throws Exception {
    Path path = Files.write(dir.resolve("file"), content);
    try {
      return FileProtocol.open(path, FileProtocol.Options.READ_WRITE.withDirect(true));
    } catch (BlockException e) {
      assumeTrue(!e.getMessage().contains("O_DIRECT"), e.getMessage());
      throw e;
    }
  }

  private static ByteBuffer aligned(int bytes) {
    return ByteBuffer.allocateDirect(bytes + 2 * PAGE).alignedSlice(PAGE).limit(bytes).slice();
  }

  @Test
  void alignmentIsOfOffsetLengthAndAddress() {
    ByteBuffer good = aligned(2 * PAGE);
    assertThat(HostFile.isAligned(PAGE, new ByteBuffer[] {good, good})).isTrue();
    assertThat(HostFile.isAligned(512, new ByteBuffer[] {good})).isFalse();
    assertThat(HostFile.isAligned(0, new ByteBuffer[] {good, good.slice(0, PAGE - 1)})).isFalse();
    assertThat(HostFile.isAligned(0, new ByteBuffer[] {good.slice(512, PAGE)})).isFalse();
  }

  @Test
  void requestsOnBothWaysSeeOneAnother() throws Exception {
    byte[] model = new byte[16 * PAGE + 512];
    Random random = new Random(4);
    random.nextBytes(model);
    try (BlockNode node = node(model.clone())) {
      for (int i = 0; i < 200; i++) {
        boolean whole = random.nextBoolean();
        int unit = whole ? PAGE : 512;
        int offset = random.nextInt(model.length / unit) * unit;
        int length = Math.min(model.length - offset, (1 + random.nextInt(4)) * unit);
        ByteBuffer buffer = aligned(length);
        if (random.nextBoolean()) {
          byte[] bytes = new byte[length];
          random.nextBytes(bytes);
          node.write(offset, buffer.put(bytes).flip());
          System.arraycopy(bytes, 0, model, offset, length);
        } else {
          node.read(offset, buffer);
          byte[] got = new byte[length];
          buffer.flip().get(got);
          assertThat(got).isEqualTo(Arrays.copyOfRange(model, offset, offset + length));
        }
      }
    }
    assertThat(Files.readAllBytes(dir.resolve("file"))).isEqualTo(model);
  }
}
