package org.ascus.devices.block.format.qcow2;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.BlockNodeContract;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.io.TempDir;

/** What holds for every block node, for every kind of qcow2 image. */
class Qcow2ContractTest {
  private abstract static class Variant extends BlockNodeContract {
    @TempDir private Path dir;

    abstract Qcow2Options options(Qcow2Options defaults);

    @Override
    protected BlockNode node(byte[] content) throws Exception {
      Path path = dir.resolve("disk.qcow2");
      Files.createFile(path);
      Qcow2Options options = options(Qcow2Options.of(content.length));
      if (!options.backingFile().isEmpty()) {
        byte[] base = new byte[content.length];
        new Random(7).nextBytes(base);
        Files.write(dir.resolve(options.backingFile()), base);
      }
      if (!options.dataFile().isEmpty()) {
        Files.createFile(dir.resolve(options.dataFile()));
      }
      try (BlockNode node = Images.create(path, options)) {
        node.write(0, ByteBuffer.wrap(content));
      }
      return Images.open(path);
    }
  }

  @Nested
  class Defaults extends Variant {
    @Override
    Qcow2Options options(Qcow2Options defaults) {
      return defaults;
    }
  }

  @Nested
  class Version2 extends Variant {
    @Override
    Qcow2Options options(Qcow2Options defaults) {
      return defaults.withVersion(2).withClusterSize(4096);
    }
  }

  @Nested
  class Version2OnBacking extends Variant {
    @Override
    Qcow2Options options(Qcow2Options defaults) {
      return defaults.withVersion(2).withBacking("base.raw", "raw");
    }
  }

  @Nested
  class SmallClustersAndOneBitRefcounts extends Variant {
    @Override
    Qcow2Options options(Qcow2Options defaults) {
      return defaults.withClusterSize(512).withRefcountBits(1);
    }
  }

  @Nested
  class SmallClustersAndWideRefcounts extends Variant {
    @Override
    Qcow2Options options(Qcow2Options defaults) {
      return defaults.withClusterSize(512).withRefcountBits(64);
    }
  }

  @Nested
  class OnBacking extends Variant {
    @Override
    Qcow2Options options(Qcow2Options defaults) {
      return defaults.withClusterSize(8192).withBacking("base.raw", "raw");
    }
  }

  @Nested
  class LazyRefcounts extends Variant {
    @Override
    Qcow2Options options(Qcow2Options defaults) {
      return defaults.withLazyRefcounts(true).withRefcountBits(8);
    }
  }

  @Nested
  class ExtendedL2 extends Variant {
    @Override
    Qcow2Options options(Qcow2Options defaults) {
      return defaults.withExtendedL2(true).withBacking("base.raw", "raw");
    }
  }

  @Nested
  class ExternalData extends Variant {
    @Override
    Qcow2Options options(Qcow2Options defaults) {
      return defaults.withDataFile("data.raw", false).withClusterSize(16384);
    }
  }

  @Nested
  class RawExternalData extends Variant {
    @Override
    Qcow2Options options(Qcow2Options defaults) {
      return defaults.withDataFile("data.raw", true);
    }
  }
}
