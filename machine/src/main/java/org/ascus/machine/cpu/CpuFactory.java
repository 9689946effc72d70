package org.ascus.machine.cpu;

import org.ascus.machine.run.Machine;

/** Makes the CPUs of a machine, so that a board needs to know no ISA's implementation. */
public interface CpuFactory {
  /**
   * Makes {@code count} CPUs and adds them to {@code machine}, numbered from 0.
   *
   * @param resetVector where each of them starts after reset
   */
  void addCpus(Machine machine, int count, long resetVector);

  /** The ISA as the device tree tells it: {@code riscv,isa}. */
  String deviceTreeIsa();

  /** The MMU as the device tree tells it: {@code mmu-type}. */
  String deviceTreeMmu();
}
