package org.ascus.isa.bytecode;

import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.ascus.isa.code.CodeIsa;
import org.ascus.isa.cpu.Block;
import org.ascus.isa.cpu.CodeSpace;
import org.ascus.isa.node.TerminatorNode;
import org.ascus.isa.region.Flow;
import org.ascus.isa.region.RegionIsa;
import org.ascus.isa.region.RegionPlan;

/** Makes the class file of one region. */
abstract class RegionClass {
  /** Type of {@link org.ascus.isa.cpu.CompiledCode#run}. */
  static final MethodTypeDesc RUN = MethodTypeDesc.of(CD_int, RegionAssembler.VCPU, CD_long, CD_int);

  /**
   * A class and what belongs to it.
   *
   * @param file its constructor takes {@code parts}
   */
  record Made<P>(byte[] file, P parts) {}

  private static final ClassDesc REGION = RegionAssembler.desc(CodeSpace.RegionHandle.class);

  final CodeIsa isa;
  final RegionPlan plan;
  final ClassDesc name;
  final Map<Integer, Integer> index;
  private CodeBuilder code;
  private Label[] labels;

  /** Stores pc, from an offset from the head on the stack, and leaves. */
  private Label leaveTo;

  /** As leaveTo, because the budget ran out here. */
  private Label spentTo;

  /** As leave, with pc stored already, because the budget ran out here. */
  private Label spent;

  /** Stores what is in locals, and returns. */
  private Label leave;

  RegionClass(CodeIsa isa, RegionPlan plan) {
    this.isa = isa;
    this.plan = plan;
    this.name = ClassDesc.of(isa.lookup().lookupClass().getPackageName(), "Region");
    this.index = plan.index();
  }

  /**
   * The class file.
   *
   * @param parameter of the constructor, passed on to that of {@code superclass}
   */
  final byte[] bytes(ClassDesc superclass, ClassDesc parameter) {
    MethodTypeDesc constructor = MethodTypeDesc.of(CD_void, parameter);
    return ClassFile.of()
        .build(
            name,
            type ->
                type.withSuperclass(superclass)
                    .withFlags(ClassFile.ACC_FINAL)
                    .withMethodBody(
                        ConstantDescs.INIT_NAME, constructor, 0,
                        c ->
                            c.aload(0).aload(1).invokespecial(superclass, ConstantDescs.INIT_NAME, constructor)
                                .return_())
                    .withMethodBody("run", RUN, ClassFile.ACC_PUBLIC, this::run));
  }

  final CodeBuilder code() {
    return code;
  }

  final Label label(int part) {
    return labels[part];
  }

  final Label leave() {
    return leave;
  }

  /** The assembler of the region, which uses {@code use}. */
  abstract RegionAssembler assembler(RegionIsa.RegisterUse use);

  /** Emits all up to the code of the first block. */
  abstract void prologue(RegionAssembler to);

  /** Emits what makes the CPU exact, but for its pc, and the return. */
  abstract void epilogue();

  /** Emits a call of which the link register is set, to the address on the stack; {@code following} is emitted next. */
  abstract void call(RegionPlan.Part part, int following);

  private void run(CodeBuilder builder) {
    code = builder;
    leaveTo = code.newLabel();
    leave = code.newLabel();
    spentTo = code.newLabel();
    spent = code.newLabel();
    List<RegionPlan.Part> parts = plan.parts();
    labels = parts.stream().map(p -> code.newLabel()).toArray(Label[]::new);
    RegionIsa.RegisterUse use = new RegionIsa.RegisterUse();
    parts.forEach(p -> isa.registers(p.block(), use));
    RegionAssembler to = assembler(use);
    prologue(to);
    for (int i = 0; i < parts.size(); i++) {
      part(to, i);
    }
    code.labelBinding(spentTo);
    noteSpent(to);
    code.labelBinding(leaveTo);
    code.i2l().lload(RegionAssembler.HEAD).ladd();
    to.storePc();
    to.hotEdge();
    code.labelBinding(leave);
    epilogue();
    code.labelBinding(spent);
    noteSpent(to);
    code.goto_(leave);
    to.emitSlowPaths();
  }

  private static void noteSpent(RegionAssembler to) {
    to.cpu();
    to.code().aload(0).putfield(RegionAssembler.VCPU, "spentIn", REGION);
  }

  private void part(RegionAssembler to, int number) {
    RegionPlan.Part part = plan.parts().get(number);
    Block block = part.block();
    Flow flow = part.flow();
    int count = isa.count(block);
    code.labelBinding(labels[number]);
    to.begin(block, part.offset(), count);
    to.spend(count);
    isa.body(to, block);
    switch (flow.kind()) {
      case BRANCH -> {
        RegionIsa.Edge taken = part.edge(index, flow.taken());
        if (taken.index() != TerminatorNode.EXIT && !taken.back()) {
          to.branchesTo(labels[taken.index()]);
          isa.branch(to, block);
        } else {
          Label edge = code.newLabel();
          Label other = code.newLabel();
          to.branchesTo(edge);
          isa.branch(to, block);
          code.goto_(other);
          code.labelBinding(edge);
          edge(to, part, flow.taken(), -1);
          code.labelBinding(other);
        }
        edge(to, part, flow.next(), number + 1);
      }
      case JUMP, FALL -> edge(to, part, flow.taken(), number + 1);
      case CALL, CALL_INDIRECT -> {
        isa.target(to, block);
        call(part, number + 1);
      }
      case LEAVE -> {
        isa.target(to, block);
        to.storePc();
        code.goto_(leave);
      }
      case SWITCH -> jump(to, part);
      case STOP -> {
        to.address(part.offset() + flow.taken());
        to.storePc();
        code.goto_(leave);
      }
    }
  }

  /** Goes to the code {@code relative} bytes from the start of {@code from}; {@code following} is emitted next. */
  private void edge(RegionAssembler to, RegionPlan.Part from, int relative, int following) {
    RegionIsa.Edge edge = from.edge(index, relative);
    if (edge.index() == TerminatorNode.EXIT) {
      code.loadConstant(from.offset() + relative).goto_(leaveTo);
    } else if (edge.back()) {
      Label out = code.newLabel();
      to.budget();
      // With a condition on the way back the compilers would keep its operands for the JVM's interpreter.
      code.lconst_0().lcmp().ifle(out).goto_(labels[edge.index()]);
      to.slowPath(() -> code.labelBinding(out).loadConstant(from.offset() + relative).goto_(spentTo));
    } else {
      goTo(edge.index(), following);
    }
  }

  final void goTo(int part, int following) {
    if (part != following) {
      code.goto_(labels[part]);
    }
  }

  private void jump(RegionAssembler to, RegionPlan.Part part) {
    isa.target(to, part.block());
    to.storePc();
    int[] targets =
        Arrays.stream(part.block().jumpTargets)
            .filter(t -> t != 0)
            .map(t -> part.offset() + t)
            .filter(index::containsKey)
            .sorted()
            .toArray();
    if (targets.length == 0) {
      code.goto_(leave);
      return;
    }
    to.budget();
    code.lconst_0().lcmp().ifle(spent);
    code.lload(RegionAssembler.VALUE)
        .lload(RegionAssembler.HEAD)
        .invokestatic(RegionAssembler.HELP, "distance", MethodTypeDesc.of(CD_int, CD_long, CD_long))
        .istore(RegionAssembler.DISTANCE);
    select(targets, 0, targets.length);
  }

  /** Goes to the one of {@code targets} that is in the local, by halves: the first compiler has no jump tables. */
  private void select(int[] targets, int from, int until) {
    if (until - from == 1) {
      code.iload(RegionAssembler.DISTANCE).loadConstant(targets[from]).if_icmpeq(labels[index.get(targets[from])]);
      code.goto_(leave);
      return;
    }
    int middle = from + until >>> 1;
    Label upper = code.newLabel();
    code.iload(RegionAssembler.DISTANCE).loadConstant(targets[middle]).if_icmpge(upper);
    select(targets, from, middle);
    code.labelBinding(upper);
    select(targets, middle, until);
  }
}
