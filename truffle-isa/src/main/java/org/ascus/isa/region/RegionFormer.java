package org.ascus.isa.region;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.ascus.isa.cpu.Block;
import org.ascus.isa.cpu.VCpu;

/**
 * Collects the blocks that can be reached from a hot one without a call or computed jump, as far as they have been
 * executed before: what never ran costs compile time and gains nothing.
 */
public final class RegionFormer {
  private static final int REACH = 1 << 14;

  private final RegionIsa isa;

  public RegionFormer(RegionIsa isa) {
    this.isa = isa;
  }

  /**
   * Collects the region at {@code head}; empty if it would hold nothing worth compiling. Runs on the
   * thread of {@code cpu}, which is about to execute it.
   *
   * @param pc virtual address of the head
   * @param budget at most this many guest instructions
   * @param level what has better code than this is not taken in, so that control gets to that code
   */
  public Optional<RegionPlan> form(VCpu cpu, Block head, long pc, int budget, int level) {
    TreeMap<Integer, RegionPlan.Part> found = new TreeMap<>();
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
      if (block == null || !block.valid) {
        continue;
      }
      if (instructions + block.code.length > budget && offset != 0) {
        block.warm();
        continue;
      }
      if (block.compiled() instanceof Region other && other.level() > level) {
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
      found.put(offset, new RegionPlan.Part(block, offset, flow));
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
    RegionPlan.Part first = found.remove(0);
    // Without its head, code that is as good has come to it meanwhile.
    if (first == null || found.isEmpty() && isTrivial(first)) {
      return Optional.empty();
    }
    List<RegionPlan.Part> order = new ArrayList<>();
    order.add(first);
    order.addAll(found.values());
    return Optional.of(new RegionPlan(pc, order, pages, instructions, cpu.codeSpace().cpus()));
  }

  private static boolean isTrivial(RegionPlan.Part only) {
    return only.flow().kind() == Flow.Kind.STOP && only.block().code.length < 4;
  }
}
