package org.ascus.devices.block.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.ascus.devices.block.BlockNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageOptionsTest {
  @TempDir private Path dir;

  @Test
  void snapshotsNeverWriteTheFile() throws Exception {
    Path path = Files.write(dir.resolve("disk"), new byte[1024]);
    try (BlockNode node = new ImageOptions(path, "", false, true, true).open()) {
      node.write(0, ByteBuffer.wrap(new byte[] {1}));
      assertThat(node.readOnly()).isFalse();
    }
    assertThat(Files.readAllBytes(path)).containsOnly(0);
    try (BlockNode node = new ImageOptions(path, "raw", true, true, true).open()) {
      assertThat(node.readOnly()).isTrue();
    }
  }

  @Test
  void aFormatThatIsNotThereIsNamedAndTheFileIsLeftAlone() throws Exception {
    byte[] qcow2 = new byte[1024];
    System.arraycopy(new byte[] {'Q', 'F', 'I', (byte) 0xfb, 0, 0, 0, 3}, 0, qcow2, 0, 8);
    Path path = Files.write(dir.resolve("disk"), qcow2);
    assertThatThrownBy(() -> new ImageOptions(path, "", false, false, true).open())
        .hasMessageContaining("qcow2")
        .hasMessageContaining(path.toString());
    assertThatThrownBy(() -> new ImageOptions(path, "qcow2", false, false, true).open())
        .hasMessageContaining("not supported yet");
    assertThatThrownBy(() -> new ImageOptions(path, "qcow9", false, false, true).open())
        .hasMessage("Unknown driver 'qcow9'");
    ImageOptions.raw(path).open().close();
  }

  @Test
  void aMissingFileIsNamed() {
    assertThatThrownBy(() -> ImageOptions.raw(Path.of("missing")).open())
        .hasMessage("Could not open 'missing': No such file or directory");
  }

  @Test
  void anEmptyFileIsAnEmptyDisk() throws Exception {
    Path path = Files.createFile(dir.resolve("empty"));
    try (BlockNode node = new ImageOptions(path, "", false, true, true).open()) {
      assertThat(node.size()).isZero();
    }
  }
}
