package org.ascus.isa.bytecode;

import static java.lang.constant.ConstantDescs.CD_boolean;
import static java.lang.constant.ConstantDescs.CD_long;

import java.lang.classfile.Label;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import org.ascus.isa.code.CodeIsa;
import org.ascus.isa.code.Step;
import org.ascus.isa.node.TerminatorNode;
import org.ascus.isa.region.Flow;
import org.ascus.isa.region.RegionIsa;
import org.ascus.isa.region.RegionPlan;

/** Makes the classes of {@link BestRegion}s. */
final class BestRegionClass extends RegionClass {
  private static final ClassDesc SUPER = RegionAssembler.desc(BestRegion.class);
  private static final MethodTypeDesc RETURNS = MethodTypeDesc.of(CD_boolean, RegionAssembler.VCPU, CD_long);

  private BestAssembler to;

  /** As leave, with an exact budget in its field. */
  private Label stopped;

  private Label end;

  private BestRegionClass(CodeIsa isa, RegionPlan plan) {
    super(isa, plan);
  }

  /** Makes the class of the region that {@code plan} describes. */
  static Made<BestRegion.Parts> make(CodeIsa isa, RegionPlan plan) {
    BestRegionClass region = new BestRegionClass(isa, plan);
    byte[] file = region.bytes(SUPER, RegionAssembler.desc(BestRegion.Parts.class));
    return new Made<>(file, new BestRegion.Parts(plan.extent(plan.pages()), region.to.steps().toArray(Step[]::new)));
  }

  @Override
  RegionAssembler assembler(RegionIsa.RegisterUse use) {
    stopped = code().newLabel();
    to = new BestAssembler(code(), stopped, use.used(), use.changed());
    return to;
  }

  @Override
  void prologue(RegionAssembler unused) {
    end = code().newLabel();
    to.field("budget", CD_long);
    code().dup2().lstore(RegionAssembler.BUDGET);
    code().lconst_0().lcmp().ifle(end);
    to.prepare(isa.cpu());
  }

  @Override
  void epilogue() {
    to.syncBudget();
    code().labelBinding(stopped);
    to.storeRegisters();
    code().labelBinding(end).iconst_m1().ireturn();
  }

  @Override
  void call(RegionPlan.Part part, int following) {
    RegionIsa.Edge edge = part.edge(index, part.flow().next());
    to.storePc();
    if (edge.index() == TerminatorNode.EXIT) {
      to.hotEdge();
      code().goto_(leave());
      return;
    }
    to.syncBudget();
    to.storeRegisters();
    to.cpu();
    String helper = "call";
    if (part.flow().kind() == Flow.Kind.CALL && part.offset() + part.flow().taken() == 0) {
      code().aload(0)
          .invokestatic(RegionAssembler.HELP, "callsSelf", MethodTypeDesc.of(CD_boolean, RegionAssembler.VCPU, SUPER))
          .ifeq(end)
          .aload(0);
      to.cpu();
      code().lload(RegionAssembler.HEAD).iconst_0().invokevirtual(name, "run", RUN).pop();
      to.cpu();
      helper = "calledSelf";
    }
    to.address(part.offset() + part.flow().next());
    code().invokestatic(RegionAssembler.HELP, helper, RETURNS).ifeq(end);
    to.field("budget", CD_long);
    code().lstore(RegionAssembler.BUDGET);
    to.reloadContext();
    to.loadRegisters();
    goTo(edge.index(), following);
  }
}
