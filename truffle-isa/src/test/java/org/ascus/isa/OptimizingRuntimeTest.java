package org.ascus.isa;

import static org.assertj.core.api.Assertions.assertThat;

import com.oracle.truffle.api.CompilerDirectives;
import com.oracle.truffle.api.Truffle;
import com.oracle.truffle.api.frame.VirtualFrame;
import com.oracle.truffle.api.nodes.RootNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The tests' JVM must run Truffle with its compiler: without it every guest test would silently run interpreted. */
class OptimizingRuntimeTest {
  @Test
  void testsRunOnTheOptimizingRuntime() {
    assertThat(Truffle.getRuntime().getClass().getSimpleName()).isEqualTo("HotSpotTruffleRuntime");
  }

  @Test
  @Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void aHotRootIsCompiled() {
    var target = new InCompiledCodeRoot().getCallTarget();
    boolean compiled = false;
    while (!compiled) {
      compiled = (boolean) target.call();
    }
    assertThat(compiled).isTrue();
  }

  private static final class InCompiledCodeRoot extends RootNode {
    InCompiledCodeRoot() {
      super(null);
    }

    @Override
    public Object execute(VirtualFrame frame) {
      return CompilerDirectives.inCompiledCode();
    }
  }
}
