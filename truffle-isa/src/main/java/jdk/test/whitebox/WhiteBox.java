package jdk.test.whitebox;

import java.lang.reflect.Executable;

/**
 * The part that we use of HotSpot's interface for its own tests. HotSpot gives a class of just this name its methods if
 * the boot loader has loaded it and {@code -XX:+WhiteBoxAPI} is given; see {@code HotSpotCompiler}, who has it loaded.
 * Here, in the module's own loader, it is never initialised.
 */
public final class WhiteBox {
  static {
    registerNatives();
  }

  private static native void registerNatives();

  /** Has {@code method} compiled in the background at a tiered compilation level of 1 to 4; bci is -1. */
  public native boolean enqueueMethodForCompilation0(Executable method, int level, int bci);

  /** The level that {@code method} is compiled at, 0 if it is not. */
  public native int getMethodCompilationLevel0(Executable method, boolean onStackReplacement);

  /** Whether {@code method} is still to be compiled. */
  public native boolean isMethodQueuedForCompilation0(Executable method);

  /** Adds compiler directives, in JSON (JEP 165); returns how many. */
  public native int addCompilerDirective(String directives);

  /** One of HotSpot's options of type bool; null if there is none of this name. */
  public native Boolean getBooleanVMFlag(String name);

  /** Sets one of HotSpot's options of type intx. */
  public native void setIntxVMFlag(String name, long value);

  /** Sets one of HotSpot's options of type bool. */
  public native void setBooleanVMFlag(String name, boolean value);
}
