package org.ascus.isa.riscv;

import com.oracle.truffle.api.CallTarget;
import com.oracle.truffle.api.TruffleLanguage;
import com.oracle.truffle.api.frame.VirtualFrame;
import com.oracle.truffle.api.nodes.RootNode;
import org.ascus.isa.cpu.CodeSpace;
import org.ascus.isa.cpu.Translator;
import org.ascus.isa.region.RegionTranslator;
import org.graalvm.polyglot.Context;
import org.graalvm.polyglot.Engine;

/**
 * RISC-V machine code as a Truffle language: the owner of all regions, so that engine options and instruments apply.
 */
@TruffleLanguage.Registration(
    id = RiscvLanguage.ID,
    name = "RISC-V",
    contextPolicy = TruffleLanguage.ContextPolicy.SHARED)
public final class RiscvLanguage extends TruffleLanguage<RiscvLanguage.State> {
  public static final String ID = "riscv64";

  private static final LanguageReference<RiscvLanguage> REFERENCE = LanguageReference.create(RiscvLanguage.class);

  /** The language keeps its state in machines, not in contexts. */
  static final class State {}

  @Override
  protected State createContext(Env env) {
    return new State();
  }

  @Override
  protected boolean isThreadAccessAllowed(Thread thread, boolean singleThreaded) {
    return true;
  }

  @Override
  protected CallTarget parse(ParsingRequest request) {
    return new RootNode(this) {
      @Override
      public Object execute(VirtualFrame frame) {
        return 0;
      }
    }.getCallTarget();
  }

  /** A translator with an engine of its own; guest code is compiled in the background. */
  static Translator translator(CodeSpace codeSpace, Acceleration acceleration) {
    Engine engine =
        Engine.newBuilder(ID)
            .allowExperimentalOptions(true)
            .option("engine.WarnInterpreterOnly", "false")
            .option("engine.FirstTierCompilationThreshold", "1")
            // The first tier's code is as quick as the second's here and takes half the time to make.
            .option("engine.Mode", "latency")
            .option("engine.BackgroundCompilation", String.valueOf(acceleration.background()))
            .option("engine.FirstTierMinInvokeThreshold", "1")
            .build();
    Context context = Context.newBuilder(ID).engine(engine).build();
    context.initialize(ID);
    context.enter();
    try {
      return new RegionTranslator(
          context, REFERENCE.get(null), new RiscvRegions(), codeSpace, RiscvCpus.MAX_INSTRUCTIONS);
    } finally {
      context.leave();
    }
  }
}
