package org.ascus.isa.hostcode;

import org.ascus.isa.code.Step;
import org.ascus.isa.cpu.BetweenRegions;
import org.ascus.isa.cpu.Block;
import org.ascus.isa.cpu.VCpu;
import org.ascus.isa.region.BaselineRegion;
import org.ascus.machine.bus.host.HostMemory;

/** A region of host code. Other host code comes to it by itself while the block at an entry has nothing better. */
final class HostRegion extends BaselineRegion {
  /**
   * What belongs to the code.
   *
   * @param number by which the code names itself
   * @param address of the code
   * @param size of the code, in bytes
   * @param entries offsets of the code of the blocks from the first byte
   * @param steps instructions that tier 0 does when the code asks it to
   * @param resumes where the code goes on behind each
   */
  record Parts(
      Extent extent, int number, long address, int size, Block[] blocks, int[] offsets, int[] entries, Step[] steps,
      int[] resumes) {}

  private final HostCode code;
  private final Parts parts;

  /** What was at each entry before it was closed. */
  private final long[] opened;

  private final long[] closed;
  private boolean discarded;

  HostRegion(HostCode code, Parts parts) {
    super(parts.extent(), parts.blocks(), parts.offsets());
    this.code = code;
    this.parts = parts;
    opened = new long[parts.entries().length];
    closed = new long[opened.length];
    for (int i = 0; i < opened.length; i++) {
      long at = parts.address() + parts.entries()[i];
      opened[i] = HostMemory.getLong(at);
      // A CPU may be between the two instructions that it has there: the second begins with the last of these bytes.
      closed[i] = X64Assembler.jump(opened[i], at, code.leave);
      HostMemory.putLong(at, closed[i]);
    }
  }

  int number() {
    return parts.number();
  }

  long address() {
    return parts.address();
  }

  int size() {
    return parts.size();
  }

  Step step(int number) {
    return parts.steps()[number];
  }

  /** Host address of what is behind step {@code number}. */
  long resume(int number) {
    return parts.address() + parts.resumes()[number];
  }

  @BetweenRegions
  @Override
  public int run(VCpu cpu, long head, int place) {
    code.run(cpu, head, parts.address() + parts.entries()[place]);
    return -1;
  }

  @Override
  public synchronized void open(int place) {
    if (!discarded) {
      HostMemory.putLong(parts.address() + parts.entries()[place], opened[place]);
    }
  }

  @Override
  public synchronized void close(int place) {
    if (!discarded) {
      HostMemory.putLong(parts.address() + parts.entries()[place], closed[place]);
    }
  }

  @Override
  public void invalidate() {
    super.invalidate();
    synchronized (this) {
      if (discarded) {
        return;
      }
      discarded = true;
    }
    code.discard(this);
  }
}
