package org.ascus.isa.bytecode;

import java.io.InputStream;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import jdk.test.whitebox.WhiteBox;

/**
 * HotSpot's two compilers, told by us what to compile and when.
 *
 * <p>HotSpot's own policy suits neither the guest nor a small host: it has its first compiler make code that profiles,
 * a third slower, of everything first, then has the second compile all that is warm, for which a Linux boot needs twice
 * the processor time. So once this is {@linkplain #find found} HotSpot's policy compiles with the first compiler only,
 * without profiling, and regions in which the time goes get the second by order.
 *
 * <p>It takes {@code -XX:+UnlockDiagnosticVMOptions -XX:+WhiteBoxAPI -XX:-DisplayVMOutput -XX:-UseTypeSpeculation
 * --add-exports=java.base/jdk.internal.misc=...}, the third because HotSpot lists on stdout all that {@link WhiteBox}
 * leaves out, the fourth because of {@link #SPECULATION}.
 */
final class HotSpotCompiler {
  /** HotSpot's tiered compilation levels. */
  enum Level {
    NONE(0),
    /** By the first compiler, without counters. */
    QUICK(1),
    /** By the first compiler, with counters at each branch and call. */
    PROFILED(3),
    /** By the second compiler, for what the counters say. */
    BEST(4);

    private final int number;

    Level(int number) {
      this.number = number;
    }
  }

  private static final String STOP_AT_LEVEL = "TieredStopAtLevel";

  /** What would end profiling before we do. */
  private static final List<String> PROFILE_LIMITS =
      List.of(
          "Tier4InvocationThreshold", "Tier4MinInvocationThreshold", "Tier4CompileThreshold", "Tier4BackEdgeThreshold");

  /** What makes the second compiler believe a profile of any length. */
  private static final String MATURITY = "ProfileMaturityPercentage";

  /**
   * Bounds what the first compiler inlines. With the second compiler about it has half the value that it has without,
   * which is too little for memory accesses and makes all of a boot a fifth slower.
   */
  private static final String INLINE_STACK = "C1InlineStackLimit";

  private static final long MAX_INLINE_STACK = 10;

  /** How often a method's code may have met what it was not made for before the next is made for all there is. */
  private static final String TRAP_LIMIT = "PerMethodTrapLimit";

  private static final long USUAL_TRAP_LIMIT = 100;

  /** Leaves methods of more than 8,000 bytes to the interpreter. */
  private static final String HUGE_METHODS = "DontCompileHugeMethods";

  /**
   * Has the second compiler guess which class's method is called. Those of the first regions would be bad guesses, and
   * it leaves code in place whose guess has failed.
   */
  private static final String TYPE_PROFILE = "UseTypeProfile";

  /**
   * Makes the size of a method's profile depend on whether the second compiler may be used. HotSpot asks once when it
   * allocates a profile and again when it fills it in; were {@link #STOP_AT_LEVEL} raised in between, it would write
   * zeros behind the profile, over another one's head.
   */
  private static final String SPECULATION = "UseTypeSpeculation";

  private static final long POLL_NANOS = 200_000;

  private static final class Holder {
    static final Optional<HotSpotCompiler> FOUND = load();
  }

  private final Object whiteBox;
  private final Method enqueue;
  private final Method level;
  private final Method queued;
  private final Method addDirectives;
  private final Method setFlag;
  private final Method setBooleanFlag;
  private final AtomicBoolean inlines = new AtomicBoolean();

  private HotSpotCompiler(Class<?> type) throws ReflectiveOperationException {
    whiteBox = type.getConstructor().newInstance();
    enqueue = method(type, "enqueueMethodForCompilation0");
    level = method(type, "getMethodCompilationLevel0");
    queued = method(type, "isMethodQueuedForCompilation0");
    addDirectives = method(type, "addCompilerDirective");
    setFlag = method(type, "setIntxVMFlag");
    setBooleanFlag = method(type, "setBooleanVMFlag");
  }

  private static Method method(Class<?> type, String name) {
    for (Method method : type.getMethods()) {
      if (method.getName().equals(name)) {
        return method;
      }
    }
    throw new IllegalArgumentException(name);
  }

  /** The method {@code run} of a generated class. */
  static Method generated(Class<?> type) {
    return Arrays.stream(type.getDeclaredMethods()).filter(m -> m.getName().equals("run")).findAny().orElseThrow();
  }

  /** The compilers of this JVM, if they can be told; from the first call on they do little by themselves. */
  static Optional<HotSpotCompiler> find() {
    return Holder.FOUND;
  }

  private static Optional<HotSpotCompiler> load() {
    String name = "/" + WhiteBox.class.getName().replace('.', '/') + ".class";
    try (InputStream in = HotSpotCompiler.class.getResourceAsStream(name)) {
      byte[] bytes = in.readAllBytes();
      Class<?> unsafe = Class.forName("jdk.internal.misc.Unsafe");
      Object instance = unsafe.getMethod("getUnsafe").invoke(null);
      Class<?> type =
          (Class<?>)
              unsafe
                  .getMethod(
                      "defineClass", String.class, byte[].class, int.class, int.class, ClassLoader.class,
                      java.security.ProtectionDomain.class)
                  .invoke(instance, null, bytes, 0, bytes.length, null, null);
      HotSpotCompiler found = new HotSpotCompiler(type);
      found.takeOver(method(type, "getBooleanVMFlag"));
      return Optional.of(found);
    } catch (Exception | LinkageError e) {
      return Optional.empty();
    }
  }

  private void takeOver(Method getBooleanFlag) throws ReflectiveOperationException {
    if ((boolean) getBooleanFlag.invoke(whiteBox, SPECULATION)) {
      throw new UnsupportedOperationException(SPECULATION + " must be off");
    }
    setFlag.invoke(whiteBox, STOP_AT_LEVEL, (long) Level.QUICK.number);
    for (String name : PROFILE_LIMITS) {
      setFlag.invoke(whiteBox, name, (long) Integer.MAX_VALUE);
    }
    setFlag.invoke(whiteBox, MATURITY, 0L);
    setFlag.invoke(whiteBox, INLINE_STACK, MAX_INLINE_STACK);
    setBooleanFlag.invoke(whiteBox, HUGE_METHODS, false);
    setBooleanFlag.invoke(whiteBox, TYPE_PROFILE, false);
  }

  /** Has {@code method} compiled, in the background; false if HotSpot refuses. */
  boolean request(Method method, Level wanted) {
    try {
      if (wanted == Level.QUICK) {
        return (boolean) enqueue.invoke(whiteBox, method, wanted.number, -1);
      }
      synchronized (this) {
        setFlag.invoke(whiteBox, STOP_AT_LEVEL, (long) Level.BEST.number);
        try {
          return (boolean) enqueue.invoke(whiteBox, method, wanted.number, -1);
        } finally {
          setFlag.invoke(whiteBox, STOP_AT_LEVEL, (long) Level.QUICK.number);
        }
      }
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Has the second compiler inline {@code methods} wherever methods of their classes call them; only once. */
  void inline(List<Method> methods) {
    if (inlines.getAndSet(true)) {
      return;
    }
    String classes = methods.stream().map(m -> '"' + pattern(m, "*") + '"').distinct().collect(Collectors.joining(","));
    String names = methods.stream().map(m -> "\"+" + pattern(m, m.getName()) + '"').collect(Collectors.joining(","));
    try {
      addDirectives.invoke(whiteBox, "[{match: [" + classes + "], c2: {inline: [" + names + "]}}]");
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String pattern(Method method, String name) {
    return method.getDeclaringClass().getName().replace('.', '/') + '.' + name;
  }

  /**
   * Whether the second compiler leaves out branches that were never taken, as far as its profile goes. Of code of which
   * there is a good one that makes the best; else it is thrown away at the first such branch, again and again.
   */
  void setPruning(boolean on) {
    try {
      setFlag.invoke(whiteBox, TRAP_LIMIT, on ? USUAL_TRAP_LIMIT : 0);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  /** What {@code method} is compiled at now. */
  Level level(Method method) {
    try {
      int number = (int) level.invoke(whiteBox, method, false);
      for (Level l : Level.values()) {
        if (l.number == number) {
          return l;
        }
      }
      return Level.PROFILED;
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Waits until {@code method}, which was requested, is compiled; false if HotSpot has given it up. */
  boolean await(Method method, Level wanted) {
    while (level(method) != wanted) {
      if (isMissing(method, wanted)) {
        return false;
      }
      LockSupport.parkNanos(POLL_NANOS);
    }
    return true;
  }

  /** Whether {@code method} is not compiled at {@code wanted}, and is not about to be. */
  boolean isMissing(Method method, Level wanted) {
    // A method stays queued until what was made of it is in place.
    return level(method) != wanted && !isQueued(method) && level(method) != wanted;
  }

  /** Whether {@code method} is still to be compiled. */
  boolean isQueued(Method method) {
    try {
      return (boolean) queued.invoke(whiteBox, method);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }
}
