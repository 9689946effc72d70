package org.ascus.launcher.img;

import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.format.ImageOptions;

/** {@code ascus-img bench}: how fast requests of one kind are done, several of them at the same time. */
final class BenchCommand {
  /** Requests at the same time, since each takes a thread. */
  private static final int MOST_DEPTH = 1024;

  private static final long MOST_BUFFER = 64 << 20;
  private static final long MOST_BUFFERS = 256 << 20;

  private final BlockNode node;
  private final Plan plan;
  private final AtomicLong next = new AtomicLong();
  private final AtomicReference<BlockException> failure = new AtomicReference<>();

  /**
   * What is measured.
   *
   * @param count requests
   * @param depth at the same time
   * @param bytes of each
   * @param offset of the first
   * @param step from one to the next
   * @param flushEvery requests between flushes, 0 for none
   * @param pattern what is written; reads if empty
   */
  private record Plan(
      long count, int depth, int bytes, long offset, long step, long flushEvery, Optional<Byte> pattern) {}

  private BenchCommand(BlockNode node, Plan plan) {
    this.node = node;
    this.plan = plan;
  }

  static int run(List<String> words, PrintStream out) throws ImgException, BlockException {
    Words w = new Words("bench", words, "c:", "d:", "f:", "n", "i:", "o:", "q", "s:", "S:", "t:", "w", "U",
        "flush-interval=", "no-drain", "pattern=", "image-opts", "force-share");
    boolean write = w.has("w");
    long flush = number(w, "flush-interval", "0", Integer.MAX_VALUE);
    if (!write && flush > 0) {
      throw new ImgException("--flush-interval is only available in write tests");
    }
    if (!write && w.has("pattern")) {
      throw new ImgException("--pattern is only available in write tests");
    }
    int bytes = (int) number(w, "s", "4096", MOST_BUFFER);
    long step = number(w, "S", "0", Long.MAX_VALUE);
    Plan plan =
        new Plan(
            number(w, "c", "75000", Integer.MAX_VALUE),
            (int) Math.max(1, number(w, "d", "64", MOST_DEPTH)),
            Math.max(1, bytes),
            number(w, "o", "0", Long.MAX_VALUE),
            step == 0 ? Math.max(1, bytes) : step,
            flush,
            write ? Optional.of((byte) number(w, "pattern", "0", 255)) : Optional.empty());
    if ((long) plan.depth() * plan.bytes() > MOST_BUFFERS) {
      throw new ImgException("-d and -s need more than 256 MiB of buffers together");
    }
    Images images = new Images(w);
    String name = w.files(1, "Expecting one image file name").getFirst();
    ImageOptions image = write ? images.target(name, w.get("f")) : images.source(name, w.get("f"));
    try (BlockNode node = image.open()) {
      if (node.size() < plan.bytes()) {
        throw new ImgException("the image is smaller than a request");
      }
      if (!w.has("q")) {
        out.printf(Locale.ROOT, "Sending %d %s requests, %d bytes each, %d in parallel (starting at offset %d, step "
            + "size %d)%n", plan.count(), write ? "write" : "read", plan.bytes(), plan.depth(), plan.offset(),
            plan.step());
        if (flush > 0) {
          out.println("Sending flush every " + flush + " requests");
        }
      }
      double seconds = new BenchCommand(node, plan).measure();
      if (!w.has("q")) {
        out.printf(Locale.ROOT, "Run completed in %.3f seconds.%n", seconds);
      }
    }
    return 0;
  }

  private static long number(Words w, String option, String otherwise, long most) throws ImgException {
    long value = Sizes.parse(option, w.get(option).orElse(otherwise));
    if (value < 0 || value > most) {
      throw new ImgException("Invalid value for -" + option + ": " + value);
    }
    return value;
  }

  private double measure() throws BlockException {
    long start = System.nanoTime();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < Math.min(plan.depth(), plan.count()); i++) {
      threads.add(Thread.ofPlatform().daemon().start(this::work));
    }
    for (Thread thread : threads) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new BlockException("interrupted", e);
      }
    }
    if (failure.get() != null) {
      throw failure.get();
    }
    return (System.nanoTime() - start) / 1e9;
  }

  private void work() {
    ByteBuffer buffer = ByteBuffer.allocateDirect(plan.bytes());
    for (int i = 0; i < plan.bytes() && plan.pattern().isPresent(); i++) {
      buffer.put(i, plan.pattern().get());
    }
    // Places that a request fits in, one behind the other, and then from the start again.
    long room = node.size() - plan.bytes() + 1;
    try {
      for (long i = next.getAndIncrement(); i < plan.count() && failure.get() == null; i = next.getAndIncrement()) {
        long at = Math.floorMod(plan.offset() + i * plan.step(), room);
        buffer.clear();
        if (plan.pattern().isPresent()) {
          node.write(at, buffer);
        } else {
          node.read(at, buffer);
        }
        if (plan.flushEvery() > 0 && (i + 1) % plan.flushEvery() == 0) {
          node.flush();
        }
      }
    } catch (BlockException e) {
      failure.compareAndSet(null, e);
    }
  }
}
