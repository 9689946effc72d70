package org.ascus.polyglot;

import java.util.List;
import java.util.OptionalLong;
import org.ascus.machine.cpu.Cpu;

/** A CPU of a machine. Each call stops a running machine for its own duration. */
public final class VmCpu {
  private final Vm vm;
  private final Cpu cpu;

  VmCpu(Vm vm, Cpu cpu) {
    this.vm = vm;
    this.cpu = cpu;
  }

  /** Number of this CPU, from 0. */
  public int index() {
    return cpu.index();
  }

  /** Short name of the guest ISA, such as {@code riscv64}. */
  public String isa() {
    return cpu.isa();
  }

  /** Names that {@link #register} takes; ABI names work as well. */
  public List<String> registerNames() {
    return cpu.registerNames();
  }

  /**
   * A register by its architectural or ABI name: {@code a0}, {@code x10}, {@code pc}, {@code mstatus}.
   *
   * @throws IllegalArgumentException when there is no such register
   */
  public long register(String name) {
    return vm.whileStopped(() -> cpu.register(name));
  }

  /**
   * Sets a register.
   *
   * @throws IllegalArgumentException when there is no such register
   */
  public void setRegister(String name, long value) {
    vm.whileStopped(
        () -> {
          cpu.setRegister(name, value);
          return value;
        });
  }

  public long pc() {
    return vm.whileStopped(cpu::pc);
  }

  /** Instructions executed since the last reset. */
  public long instructionCount() {
    return vm.whileStopped(cpu::instructionCount);
  }

  /** Physical address of a virtual one as the CPU would translate it now; empty when it would fault. */
  public OptionalLong translate(long virtualAddress) {
    return vm.whileStopped(() -> cpu.translate(virtualAddress));
  }

  /** The machine pauses before the instruction at {@code virtualAddress}. */
  public void addBreakpoint(long virtualAddress) {
    vm.whileStopped(
        () -> {
          cpu.addBreakpoint(virtualAddress);
          return virtualAddress;
        });
  }

  public void removeBreakpoint(long virtualAddress) {
    vm.whileStopped(
        () -> {
          cpu.removeBreakpoint(virtualAddress);
          return virtualAddress;
        });
  }

  /** All registers as text. */
  public String describe() {
    return vm.whileStopped(cpu::describe);
  }

  /** What the translator has done, as text; empty for a CPU that only interprets. */
  public String describeTranslation() {
    return vm.whileStopped(cpu::describeTranslation);
  }
}
