package org.ascus.isa.cpu;

/**
 * Code that some tier made of guest code. Control comes to it at an {@link EntryPoint}. A class and not an interface,
 * whose methods HotSpot would have to search for at each call.
 */
public abstract class CompiledCode implements CodeSpace.RegionHandle {
  /** How often control came here from anywhere but code of the same kind; plain races lose counts. */
  public int arrivals;

  /**
   * Runs on {@code cpu}, which is at one of the code's places: budget, event and registers are exact on return.
   *
   * @param head virtual address of the code's first block
   * @param place where to begin; 0 is the first block
   * @return negative when control has left the code and pc is exact, too; else what {@link #finish} has to do
   */
  public abstract int run(VCpu cpu, long head, int place);

  /** Goes on where {@link #run} has returned {@code number}, until control has left the code. */
  public void finish(VCpu cpu, long head, int number) {
    throw new IllegalStateException("there is nothing to finish");
  }

  /**
   * True if the code is valid, and its pages are mapped for {@code cpu} as they were when it was made, were its first
   * block at {@code head}.
   */
  public abstract boolean matches(VCpu cpu, long head);

  /** Some block's entry point is {@code place} now. */
  public void open(int place) {}

  /** Undoes {@link #open}: control must not come in there any more. */
  public void close(int place) {}

  /** Whether the answer of {@link #matches} stays the same until pages are mapped differently. */
  public boolean isSteady() {
    return true;
  }
}
