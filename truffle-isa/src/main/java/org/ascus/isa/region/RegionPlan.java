package org.ascus.isa.region;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.ascus.isa.cpu.Block;
import org.ascus.isa.node.TerminatorNode;

/**
 * The blocks of a region-to-be, from which each tier makes its code.
 *
 * @param pc virtual address of the entry when it was collected
 * @param parts the blocks, the entry first and the others by offset
 * @param pages virtual pages relative to that of the entry, and the physical page each is mapped to
 * @param instructions guest instructions in all blocks
 * @param cpus how many CPUs the machine has
 */
public record RegionPlan(long pc, List<Part> parts, Map<Long, Long> pages, int instructions, int cpus) {
  /**
   * A block of the region.
   *
   * @param offset from the region's entry, in bytes
   */
  public record Part(Block block, int offset, Flow flow) {
    /** The edge to the code {@code relative} bytes from this block; {@code index} is that of the plan. */
    public RegionIsa.Edge edge(Map<Integer, Integer> index, int relative) {
      // Offsets only grow along edges that are not marked, so every loop has a marked edge.
      return new RegionIsa.Edge(index.getOrDefault(offset + relative, TerminatorNode.EXIT), relative <= 0);
    }
  }

  /** Numbers of the parts by their offset. */
  public Map<Integer, Integer> index() {
    Map<Integer, Integer> index = new HashMap<>();
    for (int i = 0; i < parts.size(); i++) {
      index.put(parts.get(i).offset(), i);
    }
    return index;
  }

  /** The region without half of its parts, at least with its entry. */
  public RegionPlan firstHalf() {
    List<Part> half = parts.subList(0, (parts.size() + 1) / 2);
    int left = half.stream().mapToInt(p -> p.block().code.length).sum();
    return new RegionPlan(pc, half, pages, left, cpus);
  }

  /** The block at the entry. */
  public Block head() {
    return parts.getFirst().block();
  }

  /** What invalidation and mapping checks need to know of a region with these parts that depends on {@code pages}. */
  public Region.Extent extent(Map<Long, Long> pages) {
    LongStream ranges =
        parts.stream()
            .flatMapToLong(
                p -> {
                  Block b = p.block();
                  LongStream first = LongStream.of(b.physical, b.physical + b.bytes());
                  return b.secondPage < 0
                      ? first
                      : LongStream.concat(first, LongStream.of(b.secondPage, b.secondPage + 2));
                });
    long[] pageOffsets = pages.keySet().stream().mapToLong(Long::longValue).sorted().toArray();
    long[] physicalPages = LongStream.of(pageOffsets).map(pages::get).toArray();
    return new Region.Extent(
        parts.stream().map(Part::block).toArray(Block[]::new), instructions, ranges.toArray(), pageOffsets,
        physicalPages, cpus);
  }
}
