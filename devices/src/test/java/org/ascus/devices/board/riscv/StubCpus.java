package org.ascus.devices.board.riscv;

import java.util.List;
import java.util.OptionalLong;
import java.util.TreeSet;
import org.ascus.machine.cpu.Cpu;
import org.ascus.machine.cpu.CpuFactory;
import org.ascus.machine.irq.IrqLine;
import org.ascus.machine.run.Machine;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;

/** CPUs that execute nothing and remember which of their interrupt inputs are high. */
final class StubCpus implements CpuFactory {
  @Override
  public void addCpus(Machine machine, int count, long resetVector) {
    for (int i = 0; i < count; i++) {
      machine.addCpu(new StubCpu(i, resetVector, new TreeSet<>()));
    }
  }

  @Override
  public String deviceTreeIsa() {
    return "rv64imafdc";
  }

  @Override
  public String deviceTreeMmu() {
    return "riscv,sv48";
  }

  record StubCpu(int index, long pc, TreeSet<Integer> pending) implements Cpu {
    @Override
    public String isa() {
      return "stub";
    }

    @Override
    public Stop run(long budget) {
      return Stop.REQUESTED;
    }

    @Override
    public void requestExit() {}

    @Override
    public void clearExitRequest() {}

    @Override
    public void reset() {}

    @Override
    public IrqLine interrupt(int number) {
      return level -> {
        if (level) {
          pending.add(number);
        } else {
          pending.remove(number);
        }
      };
    }

    @Override
    public long instructionCount() {
      return 0;
    }

    @Override
    public List<String> registerNames() {
      return List.of();
    }

    @Override
    public long register(String name) {
      throw new IllegalArgumentException(name);
    }

    @Override
    public void setRegister(String name, long value) {}

    @Override
    public OptionalLong translate(long virtualAddress) {
      return OptionalLong.of(virtualAddress);
    }

    @Override
    public void addBreakpoint(long virtualAddress) {}

    @Override
    public void removeBreakpoint(long virtualAddress) {}

    @Override
    public String describe() {
      return "";
    }

    @Override
    public String stateId() {
      return "cpu" + index;
    }

    @Override
    public void save(StateWriter out) {}

    @Override
    public void load(StateReader in, int version) {}
  }
}
