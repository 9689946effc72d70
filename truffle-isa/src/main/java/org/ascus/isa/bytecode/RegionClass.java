package org.ascus.isa.bytecode;

import static java.lang.constant.ConstantDescs.CD_boolean;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.instruction.SwitchCase;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.ascus.isa.cpu.Block;
import org.ascus.isa.cpu.CompiledCode;
import org.ascus.isa.node.TerminatorNode;
import org.ascus.isa.region.Flow;
import org.ascus.isa.region.Region;
import org.ascus.isa.region.RegionIsa;
import org.ascus.isa.region.RegionPlan;

/** Makes the class file of one region. */
final class RegionClass {
  private static final ClassDesc SUPER = RegionAssembler.desc(BytecodeRegion.class);
  private static final ClassDesc EXTENT = RegionAssembler.desc(Region.Extent.class);
  private static final ClassDesc COMPILED_CODE = RegionAssembler.desc(CompiledCode.class);
  private static final MethodTypeDesc CONSTRUCTOR = MethodTypeDesc.of(CD_void, EXTENT);
  private static final MethodTypeDesc RUN = MethodTypeDesc.of(CD_void, RegionAssembler.VCPU);

  private final BytecodeIsa isa;
  private final ClassDesc name;
  private final List<RegionPlan.Part> parts;
  private final Map<Integer, Integer> index;
  private CodeBuilder code;
  private RegionAssembler to;
  private Label[] labels;

  /** Stores pc, from an offset on the stack, and registers, and returns. */
  private Label leaveTo;

  /** Stores registers and returns. */
  private Label leave;

  private Label end;

  /** As leaveTo, because the budget ran out here; as leave, with pc stored already; as end, likewise. */
  private Label spentTo;

  private Label spent;
  private Label spentAtEntry;

  private RegionClass(BytecodeIsa isa, RegionPlan plan) {
    this.isa = isa;
    this.name = ClassDesc.of(isa.lookup().lookupClass().getPackageName(), "Region");
    this.parts = plan.parts();
    this.index = plan.index();
  }

  /** The class file of the region that {@code plan} describes; its constructor takes a {@link Region.Extent}. */
  static byte[] bytes(BytecodeIsa isa, RegionPlan plan) {
    RegionClass region = new RegionClass(isa, plan);
    return ClassFile.of()
        .build(
            region.name,
            type ->
                type.withSuperclass(SUPER)
                    .withFlags(ClassFile.ACC_FINAL)
                    .withMethodBody(
                        ConstantDescs.INIT_NAME, CONSTRUCTOR, 0,
                        c -> c.aload(0).aload(1).invokespecial(SUPER, ConstantDescs.INIT_NAME, CONSTRUCTOR).return_())
                    .withMethodBody("run", RUN, ClassFile.ACC_PUBLIC, region::run));
  }

  private void run(CodeBuilder builder) {
    code = builder;
    leaveTo = code.newLabel();
    leave = code.newLabel();
    end = code.newLabel();
    spentTo = code.newLabel();
    spent = code.newLabel();
    spentAtEntry = code.newLabel();
    labels = parts.stream().map(p -> code.newLabel()).toArray(Label[]::new);
    RegionIsa.RegisterUse use = new RegionIsa.RegisterUse();
    parts.forEach(p -> isa.registers(p.block(), use));
    to = new RegionAssembler(code, leave, use.used(), use.changed());
    prologue();
    for (int i = 0; i < parts.size(); i++) {
      part(i);
    }
    code.labelBinding(spentTo);
    noteSpent();
    code.labelBinding(leaveTo);
    code.lstore(RegionAssembler.VALUE);
    to.cpu();
    code.lload(RegionAssembler.VALUE).putfield(RegionAssembler.VCPU, "pc", CD_long);
    to.cpu();
    code.iconst_1().putfield(RegionAssembler.VCPU, "hotEdge", CD_boolean);
    syncBudget();
    code.labelBinding(leave);
    to.storeRegisters();
    code.labelBinding(end);
    code.return_();
    code.labelBinding(spent);
    noteSpent();
    code.goto_(leave);
    code.labelBinding(spentAtEntry);
    to.cpu();
    code.getfield(RegionAssembler.VCPU, "pc", CD_long).lstore(RegionAssembler.ENTRY);
    noteSpent();
    code.return_();
    to.emitSlowPaths();
  }

  private void noteSpent() {
    to.cpu();
    code.aload(0).putfield(RegionAssembler.VCPU, "spentIn", COMPILED_CODE);
    to.cpu();
    code.lload(RegionAssembler.ENTRY).putfield(RegionAssembler.VCPU, "spentEntry", CD_long);
  }

  private void prologue() {
    to.cpu();
    code.ifnull(end);
    to.castCpu(isa.cpu());
    to.cpu();
    code.getfield(RegionAssembler.VCPU, "budget", CD_long).dup2().lstore(RegionAssembler.BUDGET);
    code.lconst_0().lcmp().ifle(spentAtEntry);
    to.reloadContext();
    to.cpu();
    code.getfield(RegionAssembler.VCPU, "tlb", RegionAssembler.LONGS).astore(RegionAssembler.TLB_ARRAY);
    to.cpu();
    code.getfield(RegionAssembler.VCPU, "pc", CD_long).lstore(RegionAssembler.ENTRY);
    to.loadRegisters();
  }

  private void part(int number) {
    RegionPlan.Part part = parts.get(number);
    Block block = part.block();
    Flow flow = part.flow();
    code.labelBinding(labels[number]);
    code.lload(RegionAssembler.BUDGET).loadConstant((long) isa.count(block)).lsub().lstore(RegionAssembler.BUDGET);
    isa.body(to, block, part.offset());
    switch (flow.kind()) {
      case BRANCH -> {
        RegionIsa.Edge taken = part.edge(index, flow.taken());
        if (taken.index() != TerminatorNode.EXIT && !taken.back()) {
          isa.branch(to, block, labels[taken.index()]);
        } else {
          Label edge = code.newLabel();
          Label other = code.newLabel();
          isa.branch(to, block, edge);
          code.goto_(other);
          code.labelBinding(edge);
          edge(part, flow.taken(), -1);
          code.labelBinding(other);
        }
        edge(part, flow.next(), number + 1);
      }
      case JUMP, FALL -> edge(part, flow.taken(), number + 1);
      case CALL, CALL_INDIRECT -> call(part, number + 1);
      case LEAVE -> {
        isa.target(to, block, part.offset());
        leaveToStacked();
      }
      case SWITCH -> jump(part);
      case STOP -> {
        to.address(part.offset() + flow.taken());
        leaveToStacked();
      }
    }
  }

  /** Goes to the code {@code relative} bytes from the start of {@code from}; {@code following} is emitted next. */
  private void edge(RegionPlan.Part from, int relative, int following) {
    RegionIsa.Edge edge = from.edge(index, relative);
    if (edge.index() == TerminatorNode.EXIT) {
      to.address(from.offset() + relative);
      code.goto_(leaveTo);
    } else if (edge.back()) {
      to.budget(0);
      code.lconst_0().lcmp().ifgt(labels[edge.index()]);
      to.address(from.offset() + relative);
      code.goto_(spentTo);
    } else if (edge.index() != following) {
      code.goto_(labels[edge.index()]);
    }
  }

  /** Leaves to the address on the stack, which nothing makes a loop head. */
  private void leaveToStacked() {
    storePc();
    syncBudget();
    code.goto_(leave);
  }

  private void storePc() {
    code.lstore(RegionAssembler.VALUE);
    to.cpu();
    code.lload(RegionAssembler.VALUE).putfield(RegionAssembler.VCPU, "pc", CD_long);
  }

  private void syncBudget() {
    to.cpu();
    to.budget(0);
    code.putfield(RegionAssembler.VCPU, "budget", CD_long);
  }

  private void call(RegionPlan.Part part, int following) {
    int behind = part.offset() + part.flow().next();
    isa.target(to, part.block(), part.offset());
    storePc();
    syncBudget();
    RegionIsa.Edge edge = part.edge(index, part.flow().next());
    if (edge.index() == TerminatorNode.EXIT) {
      to.cpu();
      code.iconst_1().putfield(RegionAssembler.VCPU, "hotEdge", CD_boolean).goto_(leave);
      return;
    }
    to.storeRegisters();
    to.cpu();
    if (part.flow().kind() == Flow.Kind.CALL && part.offset() + part.flow().taken() == 0) {
      code.aload(0)
          .invokestatic(RegionAssembler.HELP, "callsSelf", MethodTypeDesc.of(CD_boolean, RegionAssembler.VCPU, SUPER))
          .ifeq(end)
          .aload(0);
      to.cpu();
      code.invokevirtual(name, "run", RUN);
      to.cpu();
      code.invokestatic(RegionAssembler.HELP, "calledSelf", MethodTypeDesc.of(CD_void, RegionAssembler.VCPU));
    } else {
      code.lload(RegionAssembler.VALUE)
          .invokestatic(RegionAssembler.HELP, "call", MethodTypeDesc.of(CD_boolean, RegionAssembler.VCPU, CD_long))
          .ifeq(end);
    }
    to.cpu();
    to.address(behind);
    code.invokestatic(
            RegionAssembler.HELP, "returned", MethodTypeDesc.of(CD_boolean, RegionAssembler.VCPU, CD_long))
        .ifeq(end);
    to.cpu();
    code.getfield(RegionAssembler.VCPU, "budget", CD_long).lstore(RegionAssembler.BUDGET);
    to.reloadContext();
    to.loadRegisters();
    if (edge.index() != following) {
      code.goto_(labels[edge.index()]);
    }
  }

  private void jump(RegionPlan.Part part) {
    isa.target(to, part.block(), part.offset());
    storePc();
    syncBudget();
    to.budget(0);
    code.lconst_0().lcmp().ifle(spent);
    code.lload(RegionAssembler.VALUE)
        .lload(RegionAssembler.ENTRY)
        .invokestatic(RegionAssembler.HELP, "distance", MethodTypeDesc.of(CD_int, CD_long, CD_long));
    List<SwitchCase> cases = new ArrayList<>();
    Arrays.stream(part.block().jumpTargets)
        .filter(t -> t != 0)
        .map(t -> part.offset() + t)
        .distinct()
        .filter(index::containsKey)
        .sorted()
        .forEach(t -> cases.add(SwitchCase.of(t, labels[index.get(t)])));
    code.lookupswitch(leave, cases);
  }
}
