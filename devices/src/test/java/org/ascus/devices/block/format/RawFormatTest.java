package org.ascus.devices.block.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.BlockNodeContract;
import org.ascus.devices.block.protocol.FileProtocol;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RawFormatTest extends BlockNodeContract {
  @TempDir private Path dir;

  @Override
  protected BlockNode node(byte[] content) throws Exception {
    Path path = Files.write(dir.resolve("disk.raw"), content);
    return new RawFormat(FileProtocol.open(path, FileProtocol.Options.READ_WRITE));
  }

  @Test
  void aWindowShowsPartOfTheFile() throws Exception {
    byte[] content = new byte[4096];
    content[1024] = 1;
    Path path = Files.write(dir.resolve("window.raw"), content);
    FileProtocol file = FileProtocol.open(path, FileProtocol.Options.READ_WRITE);
    try (BlockNode node = new RawFormat(file, 1024, OptionalLong.of(512))) {
      assertThat(node.size()).isEqualTo(512);
      assertThat(read(node, 0, 1)).containsExactly(1);
      node.write(511, ByteBuffer.wrap(new byte[] {2}));
      assertThatThrownBy(() -> node.write(512, ByteBuffer.wrap(new byte[] {3}))).hasMessageContaining("leaves");
      assertThatThrownBy(() -> new RawFormat(file, 4096, OptionalLong.of(512))).hasMessageContaining("512");
      assertThatThrownBy(() -> new RawFormat(file, 8192, OptionalLong.empty())).hasMessageContaining("8192");
    }
    assertThat(Files.readAllBytes(path)[1535]).isEqualTo((byte) 2);
  }
}
