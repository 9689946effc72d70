package org.ascus.isa.bytecode;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Method;
import java.util.concurrent.locks.LockSupport;
import org.ascus.isa.bytecode.HotSpotCompiler.Level;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class HotSpotCompilerTest {
  private final HotSpotCompiler compiler = HotSpotCompiler.find().orElseThrow();

  private static int quick(int n) {
    int sum = 0;
    for (int i = 0; i < n; i++) {
      sum += i ^ sum;
    }
    return sum;
  }

  private static int climbing(int n) {
    return n > 10 ? n * 3 : n + 1;
  }

  private static int neverCalled(int n) {
    return n * 5;
  }

  private static Method method(String name) throws NoSuchMethodException {
    return HotSpotCompilerTest.class.getDeclaredMethod(name, int.class);
  }

  private void awaitLevel(Method method, Level level) {
    while (compiler.level(method) != level) {
      LockSupport.parkNanos(100_000);
    }
  }

  @Test
  void aMethodThatNobodyHasCalledIsCompiledByOrderOnly() throws NoSuchMethodException {
    Method method = method("neverCalled");
    assertThat(compiler.level(method)).isEqualTo(Level.NONE);
    assertThat(compiler.request(method, Level.QUICK)).isTrue();
    awaitLevel(method, Level.QUICK);
    assertThat(neverCalled(3)).isEqualTo(15);
  }

  @Test
  void aMethodGoesByWayOfAProfileToTheBestCode() throws NoSuchMethodException {
    Method method = method("climbing");
    compiler.request(method, Level.QUICK);
    awaitLevel(method, Level.QUICK);
    assertThat(compiler.request(method, Level.PROFILED)).isTrue();
    awaitLevel(method, Level.PROFILED);
    for (int i = 0; i < 50_000; i++) {
      assertThat(climbing(i)).isEqualTo(i > 10 ? i * 3 : i + 1);
    }
    assertThat(compiler.level(method)).as("the profile's end is ours to decide").isEqualTo(Level.PROFILED);
    assertThat(compiler.request(method, Level.BEST)).isTrue();
    awaitLevel(method, Level.BEST);
    assertThat(climbing(100)).isEqualTo(300);
  }

  @Test
  void whatHotSpotFindsHotByItselfStaysWithTheFirstCompiler() throws NoSuchMethodException {
    Method method = method("quick");
    int sum = 0;
    for (int i = 0; i < 100_000; i++) {
      sum += quick(20);
    }
    assertThat(sum).isNotZero();
    while (compiler.isQueued(method)) {
      LockSupport.parkNanos(100_000);
    }
    assertThat(compiler.level(method)).isEqualTo(Level.QUICK);
  }
}
