package org.ascus.isa.bytecode;

import static java.lang.constant.ConstantDescs.CD_boolean;
import static java.lang.constant.ConstantDescs.CD_long;

import java.lang.classfile.Label;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.ascus.isa.code.CodeIsa;
import org.ascus.isa.code.Step;
import org.ascus.isa.cpu.Block;
import org.ascus.isa.node.TerminatorNode;
import org.ascus.isa.region.Flow;
import org.ascus.isa.region.RegionIsa;
import org.ascus.isa.region.RegionPlan;

/** Makes the classes of {@link CompactRegion}s. */
final class CompactRegionClass extends RegionClass {
  private static final ClassDesc SUPER = RegionAssembler.desc(CompactRegion.class);

  private final List<Integer> entries = new ArrayList<>();
  private CompactAssembler to;
  private Label end;
  private Label step;
  private Label dispatch;

  private CompactRegionClass(CodeIsa isa, RegionPlan plan) {
    super(isa, plan);
    entries.addAll(entryParts());
  }

  /** Makes the class of the region that {@code plan} describes. */
  static Made<CompactRegion.Parts> make(CodeIsa isa, RegionPlan plan) {
    CompactRegionClass region = new CompactRegionClass(isa, plan);
    byte[] file = region.bytes(SUPER, RegionAssembler.desc(CompactRegion.Parts.class));
    return new Made<>(
        file,
        new CompactRegion.Parts(
            plan.extent(plan.pages()),
            region.entries.stream().map(i -> plan.parts().get(i).block()).toArray(Block[]::new),
            region.entries.stream().mapToInt(i -> plan.parts().get(i).offset()).toArray(),
            region.to.steps().toArray(Step[]::new)));
  }

  /** The head, then where loops begin and calls come back to. */
  private List<Integer> entryParts() {
    TreeSet<Integer> found = new TreeSet<>();
    found.add(0);
    for (RegionPlan.Part part : plan.parts()) {
      Flow flow = part.flow();
      switch (flow.kind()) {
        case CALL, CALL_INDIRECT -> found.add(index.getOrDefault(part.offset() + flow.next(), 0));
        case BRANCH, JUMP, FALL -> {
          if (flow.taken() <= 0) {
            found.add(index.getOrDefault(part.offset() + flow.taken(), 0));
          }
        }
        case SWITCH -> {
          for (int target : part.block().jumpTargets) {
            found.add(index.getOrDefault(part.offset() + target, 0));
          }
        }
        case LEAVE, STOP -> {}
      }
    }
    // Control that comes to what is left to the interpreter would turn back, again and again.
    found.removeIf(i -> i > 0 && isa.count(plan.parts().get(i).block()) == 0);
    return List.copyOf(found);
  }

  @Override
  RegionAssembler assembler(RegionIsa.RegisterUse use) {
    step = code().newLabel();
    to = new CompactAssembler(code(), step, use.used());
    return to;
  }

  @Override
  void prologue(RegionAssembler unused) {
    end = code().newLabel();
    dispatch = code().newLabel();
    to.cpu();
    code().ifnull(end);
    to.prepare(isa.cpu());
    code().iload(RegionAssembler.PLACE).ifne(dispatch);
    to.slowPath(this::dispatch);
  }

  @Override
  void epilogue() {
    code().labelBinding(end).iconst_m1().labelBinding(step).ireturn();
  }

  @Override
  void call(RegionPlan.Part part, int following) {
    to.storePc();
    RegionIsa.Edge edge = part.edge(index, part.flow().next());
    if (edge.index() == TerminatorNode.EXIT) {
      to.hotEdge();
      code().goto_(leave());
      return;
    }
    to.cpu();
    to.address(part.offset() + part.flow().next());
    code()
        .invokestatic(RegionAssembler.HELP, "call", MethodTypeDesc.of(CD_boolean, RegionAssembler.VCPU, CD_long))
        .ifeq(end);
    // The callee may have changed how memory is accessed.
    to.reloadContext();
    goTo(edge.index(), following);
  }

  private void dispatch() {
    code().labelBinding(dispatch);
    List<Label> places = new ArrayList<>();
    entries.forEach(i -> places.add(label(i)));
    places.addAll(to.resumes());
    dispatch(places, 0, places.size());
  }

  /** A search by halves: the first compiler has no jump tables. */
  private void dispatch(List<Label> places, int from, int until) {
    if (until - from == 1) {
      code().goto_(places.get(from));
      return;
    }
    int middle = from + until >>> 1;
    Label upper = code().newLabel();
    code().iload(RegionAssembler.PLACE).loadConstant(middle).if_icmpge(upper);
    dispatch(places, from, middle);
    code().labelBinding(upper);
    dispatch(places, middle, until);
  }
}
