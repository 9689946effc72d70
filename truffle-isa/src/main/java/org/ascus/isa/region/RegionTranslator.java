package org.ascus.isa.region;

import com.oracle.truffle.api.TruffleLanguage;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.ascus.isa.cpu.Block;
import org.ascus.isa.cpu.CodeSpace;
import org.ascus.isa.cpu.EntryPoint;
import org.ascus.isa.cpu.Translator;
import org.ascus.isa.cpu.VCpu;
import org.ascus.isa.node.BlockNode;
import org.ascus.isa.node.RegionRoot;
import org.graalvm.polyglot.Context;

/** The Truffle tier: hot blocks become regions, which Graal compiles in the background. */
public final class RegionTranslator implements Translator {
  /**
   * Guest instructions of a region. Compile time grows with it, and on a plain JDK Graal is slow until it is compiled
   * itself: a boot takes 14 s with 100, 20 s with 300 and 24 s with 1500, and compute programs lose nothing.
   */
  private static final int REGION_BUDGET = 100;

  private final Context context;
  private final TruffleLanguage<?> language;
  private final RegionIsa isa;
  private final RegionFormer former;
  private final RegionCache cache;

  /**
   * @param context of the language; guest code runs inside it
   * @param maxInstructions bound of translated guest instructions
   */
  public RegionTranslator(
      Context context, TruffleLanguage<?> language, RegionIsa isa, CodeSpace codeSpace, long maxInstructions) {
    this.context = context;
    this.language = language;
    this.isa = isa;
    this.former = new RegionFormer(isa);
    this.cache = new RegionCache(codeSpace, maxInstructions);
  }

  @Override
  public void hot(VCpu cpu, Block block, long pc) {
    Optional<EntryPoint> fallback = Optional.ofNullable(block.entry());
    former
        .form(cpu, block, pc, REGION_BUDGET, Integer.MAX_VALUE)
        .ifPresent(plan -> cache.add(build(cpu, plan, fallback)));
  }

  private TruffleRegion build(VCpu cpu, RegionPlan plan, Optional<EntryPoint> fallback) {
    Map<Integer, Integer> index = plan.index();
    Map<Long, Long> pages = new HashMap<>(plan.pages());
    RegionIsa.RegisterUse registers = new RegionIsa.RegisterUse();
    List<RegionPlan.Part> parts = plan.parts();
    BlockNode[] nodes = new BlockNode[parts.size()];
    for (int i = 0; i < nodes.length; i++) {
      RegionPlan.Part p = parts.get(i);
      nodes[i] =
          isa.nodes(
              p.block(), p.offset(), p.edge(index, p.flow().taken()),
              p.edge(index, p.flow().next()), callee(cpu, plan.pc(), p, pages), index, registers);
    }
    RegionRoot root =
        new RegionRoot(
            language, "guest@" + Long.toHexString(plan.pc()), cpu.codeSpace().onlyCpu(), nodes, registers.used(),
            registers.changed());
    TruffleRegion region = new TruffleRegion(plan.extent(pages), root.getCallTarget(), fallback);
    for (int i = 0; i < nodes.length; i++) {
      Flow flow = parts.get(i).flow();
      if (flow.kind() == Flow.Kind.CALL && parts.get(i).offset() + flow.taken() == 0) {
        nodes[i].end().callSelf(region);
      }
    }
    return region;
  }

  /** The region that {@code p} calls; the page of its entry becomes one of the caller's pages, checked with them. */
  private static Optional<TruffleRegion> callee(VCpu cpu, long pc, RegionPlan.Part p, Map<Long, Long> pages) {
    if (p.flow().kind() != Flow.Kind.CALL) {
      return Optional.empty();
    }
    long va = pc + p.offset() + p.flow().taken();
    long physical = cpu.probeFetch(va);
    Block block = physical < 0 ? null : cpu.codeSpace().find(physical);
    if (block == null || !(block.compiled() instanceof TruffleRegion region) || !region.isValid()) {
      return Optional.empty();
    }
    pages.put((va & -4096L) - (pc & -4096L), physical & -4096L);
    return Optional.of(region);
  }

  @Override
  public void enter() {
    context.enter();
  }

  @Override
  public void leave() {
    context.leave();
  }

  @Override
  public String describe() {
    return cache.describe("truffle");
  }
}
