package org.ascus.isa.region;

import com.oracle.truffle.api.TruffleLanguage;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.ascus.isa.cpu.Block;
import org.ascus.isa.cpu.VCpu;
import org.ascus.isa.node.BlockNode;
import org.ascus.isa.node.RegionRoot;
import org.ascus.isa.node.TerminatorNode;

/**
 * Collects the blocks that can be reached from a hot one without a call or computed jump, as far as they have been
 * executed before: what never ran costs compile time and gains nothing.
 */
final class RegionFormer {
  private static final int REACH = 1 << 14;

  private final TruffleLanguage<?> language;
  private final RegionIsa isa;

  RegionFormer(TruffleLanguage<?> language, RegionIsa isa) {
    this.language = language;
    this.isa = isa;
  }

  private record Found(Block block, int offset, Flow flow) {}

  /**
   * Forms the region at {@code head}. Runs on the thread of {@code cpu}, which is about to execute it.
   *
   * @param pc virtual address of the head
   * @param budget at most this many guest instructions
   */
  Optional<Region> form(VCpu cpu, Block head, long pc, int budget) {
    TreeMap<Integer, Found> found = new TreeMap<>();
    Map<Long, Long> pages = new HashMap<>();
    Deque<Integer> work = new ArrayDeque<>();
    long entryPage = pc & -4096L;
    work.add(0);
    int instructions = 0;
    while (!work.isEmpty()) {
      int offset = work.poll();
      if (found.containsKey(offset) || Math.abs(offset) > REACH) {
        continue;
      }
      long va = pc + offset;
      long pageOffset = (va & -4096L) - entryPage;
      Long physicalPage = pages.get(pageOffset);
      if (physicalPage == null) {
        long physical = cpu.probeFetch(va);
        if (physical < 0) {
          continue;
        }
        physicalPage = physical & -4096L;
      }
      Block block = offset == 0 ? head : cpu.codeSpace().find(physicalPage | va & 4095);
      if (block == null || !block.valid || instructions + block.code.length > budget && offset != 0) {
        continue;
      }
      if (block.secondPage >= 0) {
        long second = cpu.probeFetch((va | 4095) + 1);
        if (second < 0 || (second & -4096L) != block.secondPage) {
          continue;
        }
        pages.put(pageOffset + 4096, block.secondPage);
      }
      pages.put(pageOffset, physicalPage);
      Flow flow = isa.flow(block);
      found.put(offset, new Found(block, offset, flow));
      instructions += block.code.length;
      switch (flow.kind()) {
        case BRANCH -> {
          work.add(offset + flow.next());
          work.add(offset + flow.taken());
        }
        case JUMP, FALL -> work.add(offset + flow.taken());
        case CALL, CALL_INDIRECT -> work.add(offset + flow.next());
        case SWITCH -> {
          for (int target : block.jumpTargets) {
            if (target != 0) {
              work.add(offset + target);
            }
          }
        }
        case LEAVE, STOP -> {}
      }
    }
    if (found.size() == 1 && isTrivial(found.get(0))) {
      return Optional.empty();
    }
    return Optional.of(build(cpu, pc, found, pages, instructions));
  }

  private static boolean isTrivial(Found only) {
    return only.flow().kind() == Flow.Kind.STOP && only.block().code.length < 4;
  }

  private Region build(VCpu cpu, long pc, TreeMap<Integer, Found> found, Map<Long, Long> pages, int instructions) {
    List<Found> order = new ArrayList<>();
    order.add(found.get(0));
    found.values().forEach(f -> {
      if (f.offset() != 0) {
        order.add(f);
      }
    });
    Map<Integer, Integer> index = new HashMap<>();
    for (int i = 0; i < order.size(); i++) {
      index.put(order.get(i).offset(), i);
    }
    RegionIsa.RegisterUse registers = new RegionIsa.RegisterUse();
    BlockNode[] nodes = new BlockNode[order.size()];
    long[] ranges = new long[order.size() * 2];
    for (int i = 0; i < nodes.length; i++) {
      Found f = order.get(i);
      nodes[i] =
          isa.nodes(
              f.block(), f.offset(), edge(index, f, f.flow().taken()), edge(index, f, f.flow().next()),
              callee(cpu, pc, f, pages), index, registers);
      ranges[2 * i] = f.block().physical;
      ranges[2 * i + 1] = f.block().physical + f.block().bytes();
    }
    long[] pageOffsets = pages.keySet().stream().mapToLong(Long::longValue).sorted().toArray();
    long[] physicalPages = Arrays.stream(pageOffsets).map(pages::get).toArray();
    long[] rangesWithSeconds = withSecondPages(order, ranges);
    RegionRoot root =
        new RegionRoot(
            language, "guest@" + Long.toHexString(pc), cpu.codeSpace().onlyCpu(), nodes,
            slots(registers.read | registers.written),
            slots(registers.written));
    Block[] blocks = order.stream().map(Found::block).toArray(Block[]::new);
    return new Region(blocks, root.getCallTarget(), instructions, rangesWithSeconds, pageOffsets, physicalPages);
  }

  /** The region that {@code f} calls; the page of its entry becomes one of the caller's pages, checked with them. */
  private static Optional<Region> callee(VCpu cpu, long pc, Found f, Map<Long, Long> pages) {
    if (f.flow().kind() != Flow.Kind.CALL) {
      return Optional.empty();
    }
    long va = pc + f.offset() + f.flow().taken();
    long physical = cpu.probeFetch(va);
    Block block = physical < 0 ? null : cpu.codeSpace().find(physical);
    if (block == null || !(block.compiled instanceof Region region) || !region.isValid()) {
      return Optional.empty();
    }
    pages.put((va & -4096L) - (pc & -4096L), physical & -4096L);
    return Optional.of(region);
  }

  private static long[] withSecondPages(List<Found> order, long[] ranges) {
    long[] extra =
        order.stream()
            .filter(f -> f.block().secondPage >= 0)
            .flatMapToLong(f -> Arrays.stream(new long[] {f.block().secondPage, f.block().secondPage + 2}))
            .toArray();
    long[] all = Arrays.copyOf(ranges, ranges.length + extra.length);
    System.arraycopy(extra, 0, all, ranges.length, extra.length);
    return all;
  }

  private static RegionIsa.Edge edge(Map<Integer, Integer> index, Found from, int relative) {
    int to = from.offset() + relative;
    // Offsets only grow along edges that are not marked, so every loop has a marked edge.
    return new RegionIsa.Edge(index.getOrDefault(to, TerminatorNode.EXIT), relative <= 0);
  }

  private static int[] slots(long set) {
    int[] slots = new int[Long.bitCount(set & ~1L)];
    int n = 0;
    for (int i = 1; i < 64; i++) {
      if ((set >>> i & 1) != 0) {
        slots[n++] = i;
      }
    }
    return slots;
  }
}
