package org.ascus.devices.block.format.qcow2;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.DebugEvent;
import org.ascus.devices.block.filter.BlkdebugRules;
import org.ascus.devices.block.filter.Filter;
import org.ascus.devices.block.protocol.FileProtocol;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** An image whose file fails once, in the middle of whatever its format does. */
class Qcow2ErrorTest {
  private static final int SIZE = 1 << 18;
  private static final int PIECE = 512;

  /** What does not happen to this image. */
  private static final Set<DebugEvent> NOT_HERE =
      EnumSet.of(
          DebugEvent.READ_BACKING_AIO,
          DebugEvent.READ_COMPRESSED,
          DebugEvent.WRITE_COMPRESSED,
          DebugEvent.L1_GROW_ALLOC_TABLE,
          DebugEvent.L1_GROW_WRITE_TABLE,
          DebugEvent.L1_GROW_ACTIVATE_TABLE,
          DebugEvent.REFBLOCK_ALLOC_WRITE_TABLE,
          DebugEvent.REFBLOCK_ALLOC_SWITCH_TABLE);

  private static final Qcow2Node.Files ALONE =
      new Qcow2Node.Files() {
        @Override
        public Optional<BlockNode> backing(String name, String format) {
          return Optional.empty();
        }

        @Override
        public BlockNode data(String name) throws BlockException {
          throw new BlockException("no data file");
        }
      };

  @TempDir private Path dir;
  private int failures;

  private interface Request {
    void run() throws BlockException;
  }

  /** Whether it went well. */
  private boolean tried(Request request) {
    try {
      request.run();
      return true;
    } catch (BlockException e) {
      assertThat(e).hasMessageContaining("Input/output error");
      failures++;
      return false;
    }
  }

  private static BlkdebugRules rules(DebugEvent event, int time) throws BlockException {
    Map<String, String> options = new HashMap<>();
    for (int i = 1; i < time; i++) {
      options.put("set-state." + (i - 1) + ".event", event.text());
      options.put("set-state." + (i - 1) + ".state", Integer.toString(i));
      options.put("set-state." + (i - 1) + ".new_state", Integer.toString(i + 1));
    }
    options.put("inject-error.0.event", event.text());
    options.put("inject-error.0.state", Integer.toString(time));
    options.put("inject-error.0.once", "on");
    return BlkdebugRules.read(options);
  }

  @ParameterizedTest
  @EnumSource
  void leavesNoCorruptImageAndLosesNothingElse(DebugEvent event) throws Exception {
    for (int time = 1; time <= 6; time++) {
      Path path = dir.resolve("disk" + time);
      byte[] shadow = new byte[SIZE];
      BitSet unknown = new BitSet();
      Random random = new Random(event.ordinal() * 10 + time);
      random.nextBytes(shadow);
      Qcow2Options made =
          time % 3 == 0 ? Qcow2Options.of(SIZE).withClusterSize(16384).withExtendedL2(true)
              : Qcow2Options.of(SIZE).withClusterSize(1024).withRefcountBits(64);
      try (Qcow2Node node = Images.create(Files.createFile(path), made)) {
        node.write(0, ByteBuffer.wrap(shadow));
        node.snapshots().create("s", 0, 0);
      }
      FileProtocol.Options options = Images.GROWABLE.withDurable(false);
      BlockNode file = new Filter.Blkdebug(rules(event, time)).over(FileProtocol.open(path, options));
      Qcow2Node opened;
      try {
        opened = Qcow2Node.open(file, ALONE, true);
      } catch (BlockException e) {
        assertThat(e).hasMessageContaining("Input/output error");
        failures++;
        continue;
      }
      for (int i = 0; i < 60; i++) {
        change(opened, random, shadow, unknown);
      }
      tried(opened::flush);
      tried(opened::close);
      CheckResult check = Images.check(path);
      assertThat(check.corruptions).as(event + " " + time + " " + check.messages).isZero();
      ByteBuffer now = ByteBuffer.allocate(SIZE);
      try (Qcow2Node node = Images.open(path)) {
        node.read(0, now);
      }
      for (int piece = 0; piece < SIZE / PIECE; piece++) {
        if (!unknown.get(piece)) {
          int at = piece * PIECE;
          assertThat(now.slice(at, PIECE)).as(event + " " + time + " at " + at)
              .isEqualTo(ByteBuffer.wrap(shadow, at, PIECE));
        }
      }
    }
    assertThat(failures == 0).as(event + "").isEqualTo(NOT_HERE.contains(event));
  }

  /** Does something; what failed is not known any more. */
  private void change(Qcow2Node node, Random random, byte[] shadow, BitSet unknown) {
    int first = random.nextInt(SIZE / PIECE);
    int count = Math.min(1 + random.nextInt(40), SIZE / PIECE - first);
    int at = first * PIECE;
    byte[] data = new byte[count * PIECE];
    boolean done =
        switch (random.nextInt(6)) {
          case 0 -> {
            tried(node::flush);
            yield true;
          }
          case 1 -> {
            boolean zeroed = tried(() -> node.writeZeroes(at, data.length, random.nextBoolean()));
            System.arraycopy(data, 0, shadow, at, data.length);
            unknown.clear(first, first + count);
            yield zeroed;
          }
          case 2 -> {
            tried(() -> node.discard(at, data.length));
            yield false;
          }
          default -> {
            random.nextBytes(data);
            boolean written = tried(() -> node.write(at, ByteBuffer.wrap(data)));
            System.arraycopy(data, 0, shadow, at, data.length);
            unknown.clear(first, first + count);
            yield written;
          }
        };
    if (!done) {
      unknown.set(first, first + count);
    }
  }
}
