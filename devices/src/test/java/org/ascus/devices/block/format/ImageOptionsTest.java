package org.ascus.devices.block.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.format.qcow2.Qcow2Node;
import org.ascus.devices.block.format.qcow2.Qcow2Options;
import org.ascus.devices.block.protocol.FileProtocol;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageOptionsTest {
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
    Path path = Files.write(dir.resolve("disk"), Arrays.copyOf("vhdxfile".getBytes(StandardCharsets.UTF_8), 1024));
    assertThatThrownBy(() -> new ImageOptions(path, "", false, false, true).open())
        .hasMessageContaining("vhdx")
        .hasMessageContaining(path.toString());
    assertThatThrownBy(() -> new ImageOptions(path, "vhdx", false, false, true).open())
        .hasMessageContaining("only read here");
    assertThatThrownBy(() -> new ImageOptions(path, "bochs", true, false, true).open())
        .hasMessageContaining("not supported");
    assertThatThrownBy(() -> new ImageOptions(path, "qcow9", false, false, true).open())
        .hasMessage("Unknown driver 'qcow9'");
    assertThatThrownBy(() -> new ImageOptions(path, "qcow2", false, false, true).open())
        .hasMessage("'" + path + "': not a qcow2 image (magic 0x76686478 at offset 0)");
    ImageOptions.raw(path).open().close();
  }

  @Test
  void aGuestCannotMakeAProbedRawImageLookLikeAnotherFormat() throws Exception {
    Path path = Files.write(dir.resolve("disk"), new byte[4096]);
    byte[] magic = {'Q', 'F', 'I', (byte) 0xfb, 0, 0, 0, 3};
    try (BlockNode node = new ImageOptions(path, "", false, false, true).open()) {
      node.write(0, ByteBuffer.wrap(magic, 0, 7));
      assertThatThrownBy(() -> node.write(7, ByteBuffer.wrap(magic, 7, 1))).hasMessageContaining("qcow2");
      node.write(512, ByteBuffer.wrap(magic));
    }
    try (BlockNode node = ImageOptions.raw(path).open()) {
      node.write(0, ByteBuffer.wrap(magic));
    }
  }

  @Test
  void backingFilesAreFoundBesideTheImageAndLoopsEnd() throws Exception {
    Path base = Files.write(dir.resolve("base"), new byte[] {1, 2, 3});
    Path top = Files.createFile(dir.resolve("top"));
    Qcow2Options options = Qcow2Options.of(4096).withBacking("base", "raw");
    Qcow2Node.create(FileProtocol.open(top, new FileProtocol.Options(false, true, true)), options, NO_FILES).close();
    try (BlockNode node = new ImageOptions(top, "", false, false, true).open()) {
      ByteBuffer got = ByteBuffer.allocate(4);
      node.read(0, got);
      assertThat(got.array()).containsExactly(1, 2, 3, 0);
      node.write(1, ByteBuffer.wrap(new byte[] {9}));
    }
    assertThat(Files.readAllBytes(base)).containsExactly(1, 2, 3);
    Qcow2Options loop = Qcow2Options.of(4096).withBacking("top", "qcow2");
    Qcow2Node.create(FileProtocol.open(top, new FileProtocol.Options(false, true, true)), loop, NO_FILES).close();
    assertThatThrownBy(() -> new ImageOptions(top, "", true, false, true).open()).hasMessageContaining("loop");
    Qcow2Options url = Qcow2Options.of(4096).withBacking("gopher:host", "raw");
    Qcow2Node.create(FileProtocol.open(top, new FileProtocol.Options(false, true, true)), url, NO_FILES).close();
    assertThatThrownBy(() -> new ImageOptions(top, "", true, false, true).open())
        .hasMessageContaining("Unknown protocol 'gopher'");
  }

  @Test
  void snapshotsOfQcow2ImagesAreCommittedToThem() throws Exception {
    Path path = Files.createFile(dir.resolve("disk"));
    Qcow2Options created = Qcow2Options.of(1 << 20);
    Qcow2Node.create(FileProtocol.open(path, new FileProtocol.Options(false, true, true)), created, NO_FILES).close();
    byte[] before = Files.readAllBytes(path);
    ImageOptions options = new ImageOptions(path, "qcow2", false, true, true);
    try (BlockNode node = options.open()) {
      node.write(77, ByteBuffer.wrap(new byte[] {9}));
      assertThat(Files.readAllBytes(path)).isEqualTo(before);
      options.commit(node);
    }
    try (BlockNode node = new ImageOptions(path, "qcow2", true, false, true).open()) {
      ByteBuffer got = ByteBuffer.allocate(1);
      node.read(77, got);
      assertThat(got.array()).containsExactly(9);
    }
  }

  @Test
  void detectedZeroesTakeNoPlace() throws Exception {
    Path path = Files.createFile(dir.resolve("disk"));
    Qcow2Options created = Qcow2Options.of(1 << 20);
    Qcow2Node.create(FileProtocol.open(path, new FileProtocol.Options(false, true, true)), created, NO_FILES).close();
    long before = Files.size(path);
    ImageOptions options = new ImageOptions(path, "qcow2", false, false, true)
        .withDetails(ImageOptions.Details.NONE.withDetectZeroes(true).withUnmap(true));
    try (BlockNode node = options.open()) {
      node.write(0, ByteBuffer.allocate(1 << 20));
    }
    assertThat(Files.size(path)).isEqualTo(before);
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

  @Test
  void jsonNamesDescribeImages() throws Exception {
    Path path = Files.write(dir.resolve("disk"), new byte[4096]);
    String window = "json:{\"driver\":\"raw\",\"offset\":1024,\"size\":512,"
        + "\"file\":{\"driver\":\"file\",\"filename\":\"" + path + "\"}}";
    try (BlockNode node = ImageOptions.named(window, "", false, false, true).open()) {
      assertThat(node.size()).isEqualTo(512);
      node.write(0, ByteBuffer.wrap(new byte[] {5}));
    }
    assertThat(Files.readAllBytes(path)[1024]).isEqualTo((byte) 5);
    assertThatThrownBy(() -> ImageOptions.named("json:{\"driver\":\"raw\",\"x\":1}", "", true, false, true))
        .hasMessageContaining("Parameter 'filename' is missing");
    assertThatThrownBy(() -> ImageOptions.named(window.replace("offset", "ofset"), "", true, false, true))
        .hasMessage("Block driver 'raw' does not support the option 'ofset'");
    assertThatThrownBy(() -> ImageOptions.named("json:[1]", "", true, false, true)).hasMessageContaining("JSON");
    assertThatThrownBy(() -> ImageOptions.named("gopher://x", "", true, false, true))
        .hasMessage("Unknown protocol 'gopher'");
  }

  @Test
  void backingFilesMayBeDescribed() throws Exception {
    Path top = Files.createFile(dir.resolve("top"));
    String json = "json:{\"driver\":\"null-co\",\"size\":65536,\"read-zeroes\":true}";
    Qcow2Options options = Qcow2Options.of(65536).withBacking(json, "raw");
    Qcow2Node.create(FileProtocol.open(top, new FileProtocol.Options(false, true, true)), options, NO_FILES).close();
    try (BlockNode node = new ImageOptions(top, "", false, false, true).open()) {
      ByteBuffer got = ByteBuffer.wrap(new byte[] {1, 2, 3, 4});
      node.read(65000, got);
      assertThat(got.array()).containsOnly(0);
    }
  }
}
