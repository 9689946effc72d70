package org.ascus.devices.block.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.junit.jupiter.api.Test;

class NullNodeTest {
  @Test
  void keepsNothingAndChecksRanges() throws Exception {
    Location.Null options = new Location.Null("null-co", 4096, 1000, true);
    try (BlockNode node = options.open(FileProtocol.Options.READ_WRITE)) {
      node.write(0, ByteBuffer.wrap(new byte[] {1, 2}));
      ByteBuffer got = ByteBuffer.wrap(new byte[] {7, 7});
      node.read(0, got);
      assertThat(got.hasRemaining()).isFalse();
      assertThat(got.array()).containsOnly(0);
      assertThat(node.extent(0, 4096).zero()).isTrue();
      assertThatThrownBy(() -> node.read(4090, ByteBuffer.allocate(7))).isInstanceOf(BlockException.class);
    }
    try (BlockNode node = options.open(FileProtocol.Options.READ_ONLY)) {
      assertThatThrownBy(() -> node.write(0, ByteBuffer.allocate(1))).hasMessageContaining("read-only");
    }
  }
}
