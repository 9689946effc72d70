package org.ascus.devices.block.crypto;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.BlockNodeContract;
import org.ascus.devices.block.format.ImageOptions;
import org.ascus.devices.block.format.qcow2.Qcow2Node;
import org.ascus.devices.block.format.qcow2.Qcow2Options;
import org.ascus.devices.block.protocol.FileProtocol;
import org.ascus.devices.security.Secret;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.io.TempDir;

/** What holds for every block node, for encrypted images. */
class LuksContractTest {
  private static final FileProtocol.Options GROWABLE = new FileProtocol.Options(false, true, true);

  static Secret secret(String text) throws Exception {
    return Secret.read(
        new Secret.Source(Optional.of(text), Optional.empty(), false, Optional.empty(), Optional.empty()));
  }

  private static LuksOptions quick(Map<String, String> options) throws Exception {
    LuksOptions parsed = LuksOptions.parse(options);
    return new LuksOptions(parsed.spec(), parsed.hash(), 1);
  }

  private static BlockNode reopen(Path path, String format) throws Exception {
    return new ImageOptions(path, format, false, false, true)
        .withDetails(ImageOptions.Details.NONE.withKey(ImageKey.of(secret("pass")))).open();
  }

  @Nested
  class Luks extends BlockNodeContract {
    @TempDir private Path dir;

    @Override
    protected BlockNode node(byte[] content) throws Exception {
      Path path = Files.createFile(dir.resolve("disk.luks"));
      try (BlockNode node = LuksNode.create(
          FileProtocol.open(path, GROWABLE), quick(Map.of()), secret("pass").toBytes(), content.length)) {
        node.write(0, ByteBuffer.wrap(content));
      }
      return reopen(path, "");
    }
  }

  private abstract static class Qcow2 extends BlockNodeContract {
    @TempDir private Path dir;

    abstract Qcow2Options options(long size);

    @Override
    protected BlockNode node(byte[] content) throws Exception {
      Path path = Files.createFile(dir.resolve("disk.qcow2"));
      Qcow2Node.NewLuks luks = new Qcow2Node.NewLuks(quick(Map.of("cipher-mode", "cbc")), secret("pass"));
      try (BlockNode node = Qcow2Node.create(FileProtocol.open(path, GROWABLE), options(content.length),
          new Qcow2Node.Files() {
            @Override
            public Optional<BlockNode> backing(String name, String format) {
              return Optional.empty();
            }

            @Override
            public BlockNode data(String name) throws org.ascus.devices.block.BlockException {
              throw new org.ascus.devices.block.BlockException(name);
            }
          }, Optional.of(luks))) {
        node.write(0, ByteBuffer.wrap(content));
      }
      return reopen(path, "qcow2");
    }
  }

  @Nested
  class Qcow2Default extends Qcow2 {
    @Override
    Qcow2Options options(long size) {
      return Qcow2Options.of(size);
    }
  }

  @Nested
  class Qcow2SmallClusters extends Qcow2 {
    @Override
    Qcow2Options options(long size) {
      return Qcow2Options.of(size).withClusterSize(512);
    }
  }

  @Nested
  class Qcow2ExtendedL2 extends Qcow2 {
    @Override
    Qcow2Options options(long size) {
      return Qcow2Options.of(size).withExtendedL2(true);
    }
  }
}
