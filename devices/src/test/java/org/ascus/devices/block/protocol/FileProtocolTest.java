package org.ascus.devices.block.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.BlockNodeContract;
import org.ascus.devices.host.HostCalls;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileProtocolTest extends BlockNodeContract {
  @TempDir private Path dir;

  @Override
  protected BlockNode node(byte[] content) throws Exception {
    return FileProtocol.open(Files.write(dir.resolve("file"), content), FileProtocol.Options.READ_WRITE);
  }

  @Test
  void filesThatDoNotOpenAreNamedWithTheReason() {
    assertThatThrownBy(() -> FileProtocol.open(Path.of("missing"), FileProtocol.Options.READ_WRITE))
        .isInstanceOf(BlockException.class)
        .hasMessage("Could not open 'missing': No such file or directory");
    assertThatThrownBy(() -> FileProtocol.open(dir, FileProtocol.Options.READ_ONLY))
        .hasMessage("Could not open '" + dir + "': Is a directory");
  }

  @Test
  void aFileIsWrittenByOneNodeOnly() throws Exception {
    Path path = Files.write(dir.resolve("disk"), new byte[512]);
    try (BlockNode node = FileProtocol.open(path, FileProtocol.Options.READ_WRITE)) {
      assertThat(node.size()).isEqualTo(512);
      assertThatThrownBy(() -> FileProtocol.open(path, FileProtocol.Options.READ_WRITE))
          .hasMessageContaining("Failed to get \"write\" lock");
      FileProtocol.open(path, new FileProtocol.Options(true, false)).close();
    }
    FileProtocol.open(path, FileProtocol.Options.READ_WRITE).close();
  }

  private static int run(String... command) throws Exception {
    return new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start().waitFor();
  }

  @Test
  void aFullDiskIsToldFromOtherFailures() throws Exception {
    Path small = Files.createDirectory(dir.resolve("small"));
    boolean mounted =
        HostCalls.isLinux() && run("mount", "-t", "tmpfs", "-o", "size=1m", "none", small.toString()) == 0;
    if (!mounted) {
      System.err.println("SKIPPED: FileProtocolTest mounts a file system to fill it, which needs root");
    }
    assumeTrue(mounted);
    FileProtocol.Options growable = new FileProtocol.Options(false, true, true);
    try (BlockNode node = FileProtocol.open(Files.createFile(small.resolve("disk")), growable)) {
      node.write(0, ByteBuffer.allocate(4096));
      for (ByteBuffer buffer : List.of(ByteBuffer.allocate(2 << 20), ByteBuffer.allocateDirect(2 << 20))) {
        assertThatThrownBy(() -> node.write(0, buffer))
            .isInstanceOfSatisfying(BlockException.class, e -> assertThat(e.noSpace()).isTrue());
        assertThatThrownBy(() -> node.write(0, new ByteBuffer[] {buffer.clear()}))
            .isInstanceOfSatisfying(BlockException.class, e -> assertThat(e.noSpace()).isTrue());
      }
    } finally {
      run("umount", small.toString());
    }
  }

  @Test
  void readOnlyNodesRefuseWrites() throws Exception {
    Path path = Files.write(dir.resolve("disk"), new byte[512]);
    try (BlockNode node = FileProtocol.open(path, FileProtocol.Options.READ_ONLY)) {
      assertThat(node.readOnly()).isTrue();
      assertThatThrownBy(() -> node.write(0, ByteBuffer.allocate(1))).hasMessageContaining("read-only");
      assertThatThrownBy(() -> node.writeZeroes(0, 1, false)).hasMessageContaining("read-only");
      assertThatThrownBy(() -> node.discard(0, 1)).hasMessageContaining("read-only");
      node.flush();
    }
  }

  @Test
  void theLastSectorOfAnOddFileIsFilledWithZeroesAndCanBeWritten() throws Exception {
    Path path = Files.write(dir.resolve("odd"), new byte[] {1, 2, 3});
    try (BlockNode node = FileProtocol.open(path, FileProtocol.Options.READ_WRITE)) {
      assertThat(node.size()).isEqualTo(512);
      assertThat(read(node, 0, 5)).containsExactly(1, 2, 3, 0, 0);
      node.write(511, ByteBuffer.wrap(new byte[] {9}));
    }
    assertThat(Files.size(path)).isEqualTo(512);
  }

  @Test
  void temporaryFilesLeaveNothingBehind() throws Exception {
    BlockNode node = FileProtocol.temporary(1 << 20);
    node.write(1 << 19, ByteBuffer.wrap(new byte[] {1}));
    assertThat(read(node, 1 << 19, 2)).containsExactly(1, 0);
    node.close();
    assertThat(Path.of(node.name())).doesNotExist();
  }
}
