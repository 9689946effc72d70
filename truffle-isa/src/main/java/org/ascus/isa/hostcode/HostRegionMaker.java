package org.ascus.isa.hostcode;

import static org.ascus.isa.hostcode.X64Assembler.R14;
import static org.ascus.isa.hostcode.X64Assembler.R15;
import static org.ascus.isa.hostcode.X64Assembler.RAX;
import static org.ascus.isa.hostcode.X64Assembler.RBX;
import static org.ascus.isa.hostcode.X64Assembler.RCX;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.ascus.isa.code.CodeIsa;
import org.ascus.isa.code.Step;
import org.ascus.isa.cpu.Block;
import org.ascus.isa.cpu.CodeSpace;
import org.ascus.isa.cpu.Slots;
import org.ascus.isa.hostcode.X64Assembler.Label;
import org.ascus.isa.node.TerminatorNode;
import org.ascus.isa.region.BaselineRegion;
import org.ascus.isa.region.Flow;
import org.ascus.isa.region.RegionIsa;
import org.ascus.isa.region.RegionPlan;
import org.ascus.machine.bus.host.ExecutableMemory;

/** Makes {@link HostRegion}s. */
public final class HostRegionMaker {
  /** Have methods that control passes through between regions. */
  public static final List<Class<?>> BETWEEN_REGIONS = List.of(HostRegion.class, HostCode.class);

  private static final long MEMORY = 256L << 20;

  private final CodeIsa isa;
  private final HostCode host;

  /** @param memory which nobody else uses, for the code of {@code codeSpace} */
  public HostRegionMaker(CodeIsa isa, CodeSpace codeSpace, ExecutableMemory memory) {
    this.isa = isa;
    this.host = new HostCode(codeSpace, memory);
  }

  /** Memory for code; empty on hosts whose code is not known. */
  public static Optional<ExecutableMemory> memory() {
    boolean known = System.getProperty("os.arch").equals("amd64") && System.getProperty("os.name").equals("Linux");
    return known ? ExecutableMemory.allocate(MEMORY) : Optional.empty();
  }

  /** Bytes of memory that were used up to now, many of them again and again. */
  public long bytes() {
    return host.bytes();
  }

  /** The region that {@code plan} describes; empty if it takes what is not known here, or there is no room. */
  public Optional<BaselineRegion> make(RegionPlan plan) {
    int number = host.number();
    Making first = new Making(plan, number, ResidentRegisters.NONE);
    first.emit();
    Optional<BaselineRegion> made = first.to.misses() ? Optional.empty() : first.best().make();
    if (made.isEmpty()) {
      host.forget(number);
    }
    return made;
  }

  /** One region. */
  private final class Making {
    private final RegionPlan plan;
    private final int number;
    private final Map<Integer, Integer> index;
    private final X64Assembler code = new X64Assembler();
    private final ResidentRegisters resident;
    private final HostAssembler to;
    private final Label[] labels;

    /** Of each part, behind where it counts its instructions. */
    private final Label[] counted;

    /** How often control goes to tier 0 and back in each part. */
    private final int[] leaves;

    Making(RegionPlan plan, int number, ResidentRegisters resident) {
      this.plan = plan;
      this.number = number;
      this.resident = resident;
      this.index = plan.index();
      this.to = new HostAssembler(code, host, number, resident);
      this.labels = plan.parts().stream().map(p -> new Label()).toArray(Label[]::new);
      this.counted = plan.parts().stream().map(p -> new Label()).toArray(Label[]::new);
      this.leaves = new int[labels.length];
    }

    /** This, or what is better given what is known of it now. */
    Making best() {
      ResidentRegisters better = ResidentRegisters.of(isa, plan, index, leaves);
      if (better.isEmpty()) {
        return this;
      }
      Making best = new Making(plan, number, better);
      best.emit();
      return best;
    }

    void emit() {
      for (int i = 0; i < labels.length; i++) {
        part(i);
        leaves[i] = to.lefts();
      }
      to.emitSlowPaths();
    }

    Optional<BaselineRegion> make() {
      List<RegionPlan.Part> parts = plan.parts();
      if (to.steps().size() > HostCode.MAX_STEPS) {
        return Optional.empty();
      }
      List<Integer> places = new ArrayList<>();
      for (int i = 0; i < parts.size(); i++) {
        // Control that comes to what is left to the interpreter would turn back, again and again.
        if (i == 0 || isa.count(parts.get(i).block()) > 0) {
          places.add(i);
        }
      }
      int[] entries = new int[places.size()];
      for (int i = 0; i < entries.length; i++) {
        // Closed and opened by one store.
        code.align(8);
        entries[i] = code.position();
        code.longLea(R14, RAX, -parts.get(places.get(i)).offset());
        resident.enter(code, labels[places.get(i)]);
      }
      long address = host.place(code);
      if (address == 0) {
        return Optional.empty();
      }
      HostRegion region =
          new HostRegion(
              host,
              new HostRegion.Parts(
                  plan.extent(plan.pages()), number, address, code.position(),
                  places.stream().map(i -> parts.get(i).block()).toArray(Block[]::new),
                  places.stream().mapToInt(i -> parts.get(i).offset()).toArray(), entries,
                  to.steps().toArray(Step[]::new), to.resumes()));
      host.add(region);
      return Optional.of(region);
    }

    private void part(int place) {
      RegionPlan.Part part = plan.parts().get(place);
      Block block = part.block();
      Flow flow = part.flow();
      int count = isa.count(block);
      code.bind(labels[place]);
      to.begin(block, part.offset(), count);
      if (count > 0) {
        code.aluConstant(X64Assembler.SUB, true, R15, count);
      }
      code.bind(counted[place]);
      isa.body(to, block);
      to.flush();
      switch (flow.kind()) {
        case BRANCH -> {
          RegionIsa.Edge taken = part.edge(index, flow.taken());
          if (taken.index() == TerminatorNode.EXIT) {
            Label edge = new Label();
            to.branchesTo(edge, false);
            isa.branch(to, block);
            to.slowPath(
                () -> {
                  code.bind(edge);
                  edge(part, flow.taken(), -1);
                });
          } else if (taken.back()) {
            Label next = new Label();
            to.branchesTo(next, true);
            isa.branch(to, block);
            edge(part, flow.taken(), -1);
            code.bind(next);
          } else {
            to.branchesTo(labels[taken.index()], false);
            isa.branch(to, block);
          }
          edge(part, flow.next(), place + 1);
        }
        case JUMP, FALL -> edge(part, flow.taken(), place + 1);
        case CALL, CALL_INDIRECT, SWITCH -> {
          isa.target(to, block);
          to.popTarget();
          to.flush();
          resident.store(code);
          HostCode.goOn(code, host.leaveHot);
        }
        case LEAVE -> {
          isa.target(to, block);
          to.popTarget();
          to.flush();
          resident.store(code);
          code.alu(X64Assembler.CMP, true, RAX, RBX, 8 * Slots.STOP);
          code.jumpFarIf(X64Assembler.EQUAL, host.leave);
          HostCode.goOn(code, to.isHot() ? host.leaveHot : host.leave);
        }
        case STOP -> {
          to.virtualAddress(part.offset() + flow.taken());
          to.exit(host.leave);
        }
      }
    }

    /** Goes to the code {@code relative} bytes from the start of {@code from}; {@code following} is emitted next. */
    private void edge(RegionPlan.Part from, int relative, int following) {
      RegionIsa.Edge edge = from.edge(index, relative);
      if (edge.index() == TerminatorNode.EXIT) {
        to.virtualAddress(from.offset() + relative);
        to.exit(host.goOn);
      } else if (edge.back()) {
        // Counts the next turn as well, which is undone if there is none.
        int count = isa.count(plan.parts().get(edge.index()).block());
        code.aluConstant(X64Assembler.SUB, true, R15, count);
        code.jumpIf(X64Assembler.GREATER, counted[edge.index()]);
        Label out = new Label();
        code.jump(out);
        to.slowPath(
            () -> {
              code.bind(out);
              code.aluConstant(X64Assembler.ADD, true, R15, count);
              to.virtualAddress(from.offset() + relative);
              code.move(RCX, number);
              to.exit(host.spent);
            });
      } else if (edge.index() != following) {
        code.jump(labels[edge.index()]);
      }
    }
  }
}
