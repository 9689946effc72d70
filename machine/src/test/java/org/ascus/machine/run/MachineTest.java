package org.ascus.machine.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.ascus.machine.bus.GuestRam;
import org.ascus.machine.bus.RamRegion;
import org.ascus.machine.clock.VirtualClock;
import org.ascus.machine.cpu.Cpu;
import org.ascus.machine.device.Device;
import org.ascus.machine.irq.IrqLine;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;
import org.ascus.machine.trace.Log;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class MachineTest {
  private final Machine machine = new Machine(Log.off());
  private final List<String> events = new ArrayList<>();

  @AfterEach
  void close() {
    machine.close();
  }

  /** Counts; in a machine that runs by threads it counts until asked to stop. */
  private final class CountingCpu implements Cpu {
    private final CountDownLatch ran = new CountDownLatch(1);
    private volatile boolean exit;
    private volatile long count;
    private volatile boolean halted;

    @Override
    public int index() {
      return 0;
    }

    @Override
    public String isa() {
      return "counting";
    }

    @Override
    public Stop run(long budget) {
      ran.countDown();
      if (halted) {
        return Stop.HALTED;
      }
      for (long left = budget; left > 0; left--) {
        if (exit) {
          return Stop.REQUESTED;
        }
        count++;
      }
      return Stop.BUDGET;
    }

    @Override
    public void requestExit() {
      exit = true;
    }

    @Override
    public void clearExitRequest() {
      exit = false;
    }

    @Override
    public void reset() {
      events.add("cpu reset");
    }

    @Override
    public IrqLine interrupt(int number) {
      return level -> halted = !level;
    }

    @Override
    public long instructionCount() {
      return count;
    }

    @Override
    public List<String> registerNames() {
      return List.of("count");
    }

    @Override
    public long register(String name) {
      return count;
    }

    @Override
    public void setRegister(String name, long value) {
      count = value;
    }

    @Override
    public long pc() {
      return 0;
    }

    @Override
    public OptionalLong translate(long virtualAddress) {
      return OptionalLong.empty();
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
      return "cpu0";
    }

    @Override
    public void save(StateWriter out) {
      out.putLong("count", count);
    }

    @Override
    public void load(StateReader in, int version) throws StateException {
      count = in.getLong("count");
    }
  }

  private final class Witness extends Device {
    Witness(String id) {
      super("witness", id);
    }

    @Override
    public void resetEnter() {
      events.add(id() + " enter");
    }

    @Override
    public void resetHold() {
      events.add(id() + " hold");
    }

    @Override
    public void resetExit() {
      events.add(id() + " exit");
    }

    @Override
    public void close() {
      events.add(id() + " close");
    }

    @Override
    public void save(StateWriter out) {}

    @Override
    public void load(StateReader in, int version) {}
  }

  @Test
  void resetGoesThroughItsPhasesThenTheCpusThenTheLoaders() {
    machine.addDevice(new Witness("a"));
    machine.addDevice(new Witness("b"));
    machine.addCpu(new CountingCpu());
    machine.addResetHook(() -> events.add("loader"));
    machine.useInstructionTime(0);
    machine.resetForInstructionTime();
    assertThat(events)
        .containsExactly("a enter", "b enter", "a hold", "b hold", "a exit", "b exit", "cpu reset", "loader");
  }

  @Test
  void pausedMachineExecutesNothingAndTimeStands() throws Exception {
    CountingCpu cpu = new CountingCpu();
    machine.addCpu(cpu);
    machine.start(true);
    assertThat(machine.state()).isEqualTo(RunState.PRELAUNCH);
    assertThat(cpu.ran.getCount()).isEqualTo(1);
    machine.resume();
    assertThat(cpu.ran.await(20, TimeUnit.SECONDS)).isTrue();
    machine.pause();
    assertThat(machine.state()).isEqualTo(RunState.PAUSED);
    long count = cpu.count;
    long time = machine.clock().nanos();
    machine.pause();
    assertThat(cpu.count).isEqualTo(count);
    assertThat(machine.clock().nanos()).isEqualTo(time);
  }

  @Test
  void shutdownEndsWithItsReasonAndClosesDevicesOnce() throws Exception {
    machine.addDevice(new Witness("a"));
    machine.addCpu(new CountingCpu());
    machine.start(false);
    ShutdownReason reason = new ShutdownReason(ShutdownReason.Kind.GUEST_SHUTDOWN, 3, "");
    machine.requestShutdown(reason);
    machine.requestShutdown(new ShutdownReason(ShutdownReason.Kind.HOST_QUIT, 9, ""));
    assertThat(machine.awaitShutdown()).isEqualTo(reason);
    machine.close();
    assertThat(machine.state()).isEqualTo(RunState.ENDED);
    assertThat(events.stream().filter("a close"::equals)).hasSize(1);
  }

  @Test
  void resetByTheGuestRestartsOrEndsTheMachine() throws Exception {
    CountDownLatch resets = new CountDownLatch(2);
    machine.addCpu(new CountingCpu());
    machine.addResetHook(resets::countDown);
    machine.start(false);
    machine.requestReset(true);
    assertThat(resets.await(20, TimeUnit.SECONDS)).isTrue();
    machine.setRebootEnds(true);
    machine.requestReset(true);
    assertThat(machine.awaitShutdown().kind()).isEqualTo(ShutdownReason.Kind.GUEST_RESET);
  }

  @Test
  void shutdownByTheGuestCanLeaveTheMachineToBeLookedAt() throws Exception {
    CountDownLatch stopped = new CountDownLatch(1);
    machine.addCpu(new CountingCpu());
    machine.setShutdownPauses(true);
    machine.addStateListener(
        state -> {
          if (state == RunState.SHUTDOWN) {
            stopped.countDown();
          }
        });
    machine.start(false);
    machine.requestShutdown(new ShutdownReason(ShutdownReason.Kind.GUEST_SHUTDOWN, 0, ""));
    assertThat(stopped.await(20, TimeUnit.SECONDS)).isTrue();
    machine.resume();
    assertThat(machine.state()).isEqualTo(RunState.SHUTDOWN);
  }

  @Test
  void defectOfATimerEndsTheMachineAndSaysWhere() throws Exception {
    machine.clock().newTimer(() -> { throw new IllegalStateException("broken"); }).arm(1);
    machine.start(false);
    ShutdownReason reason = machine.awaitShutdown();
    assertThat(reason.kind()).isEqualTo(ShutdownReason.Kind.HOST_ERROR);
    assertThat(reason.detail()).startsWith("timer: ").contains("broken");
  }

  @Test
  void aResetThatIsUnderWayDoesNotUndoAPause() {
    CountingCpu cpu = new CountingCpu();
    machine.addCpu(cpu);
    machine.start(false);
    for (int i = 0; i < 3000; i++) {
      machine.requestReset(false);
      machine.pause();
      assertThat(machine.state()).isEqualTo(RunState.PAUSED);
      assertThat(machine.whilePaused(machine::state)).isEqualTo(RunState.PAUSED);
      machine.resume();
    }
  }

  @Test
  void noTimerRunsOnceTheMachineIsPaused() throws Exception {
    AtomicInteger active = new AtomicInteger();
    VirtualClock.Timer[] timer = new VirtualClock.Timer[1];
    timer[0] =
        machine.clock().newTimer(
            () -> {
              active.incrementAndGet();
              timer[0].arm(0);
              Thread.onSpinWait();
              active.decrementAndGet();
            });
    timer[0].arm(0);
    machine.start(true);
    for (int i = 0; i < 200; i++) {
      machine.resume();
      machine.pause();
      assertThat(active).hasValue(0);
    }
  }

  @Test
  void instructionTimeFiresTimersAtTheirInstructionAndSkipsSleep() {
    CountingCpu cpu = new CountingCpu();
    machine.addCpu(cpu);
    machine.useInstructionTime(3);
    machine.resetForInstructionTime();
    List<Long> fired = new ArrayList<>();
    machine.clock().newTimer(() -> fired.add(cpu.count)).arm(80);
    machine.clock().newTimer(() -> cpu.halted = true).arm(160);
    machine.clock().newTimer(() -> cpu.halted = false).arm(1_000_000);
    assertThat(machine.runFor(50)).isEqualTo(50);
    assertThat(fired).containsExactly(10L);
    assertThat(cpu.count).isEqualTo(50);
    assertThat(machine.clock().nanos()).isEqualTo(1_000_000 + 30 * 8);
    cpu.halted = true;
    assertThat(machine.runFor(50)).as("sleeps for good").isZero();
  }

  @Test
  void stateTravelsToAnEqualMachine() throws Exception {
    GuestRam ram = new GuestRam("ram", 0x4000);
    machine.memory().map(0, new RamRegion("ram", ram, true));
    machine.addRam(ram);
    CountingCpu cpu = new CountingCpu();
    machine.addCpu(cpu);
    machine.clock().setNanos(777);
    ram.put(0x1008, 8, 42);
    cpu.count = 5;
    byte[] state = machine.save();
    assertThat(state.length).as("zero pages take no room").isLessThan(0x1800);

    ram.put(0x1008, 8, 1);
    ram.put(0x3000, 8, 1);
    cpu.count = 6;
    machine.clock().setNanos(0);
    machine.load(state);
    assertThat(ram.getLong(0x1008)).isEqualTo(42);
    assertThat(ram.getLong(0x3000)).isZero();
    assertThat(cpu.count).isEqualTo(5);
    assertThat(machine.clock().nanos()).isEqualTo(777);

    Machine other = new Machine(Log.off());
    other.addRam(new GuestRam("ram", 0x8000));
    assertThatThrownBy(() -> other.load(state)).isInstanceOf(StateException.class).hasMessageContaining("ram.ram.size");
    other.close();
  }
}
