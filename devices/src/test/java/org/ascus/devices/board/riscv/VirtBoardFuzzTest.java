package org.ascus.devices.board.riscv;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.ascus.devices.virtio.VirtioHost;
import org.ascus.devices.virtio.rng.VirtioRng;
import org.ascus.machine.bus.AddressSpace;
import org.ascus.machine.bus.BusFault;
import org.ascus.machine.bus.FlatView;
import org.ascus.machine.run.Machine;
import org.ascus.machine.trace.Log;
import org.junit.jupiter.api.Test;

/** A guest that writes junk everywhere gets faults and nonsense, and the emulator goes on. */
class VirtBoardFuzzTest {
  private static final int ACCESSES = 30_000;

  private static Machine board() throws Exception {
    VirtOptions options =
        new VirtOptions(
            16L << 20,
            2,
            Optional.empty(),
            Optional.empty(),
            "",
            Optional.empty(),
            new Firmware.None(),
            List.of(),
            List.of(),
            true,
            false,
            () -> 0,
            new byte[0]);
    Machine machine = new Machine(Log.off());
    VirtBoard board = VirtBoard.build(machine, new StubCpus(), options);
    VirtioRng rng = new VirtioRng("rng", VirtioHost.of(machine), bytes -> {}, 1 << 20, 1000);
    board.virtioBus().plug(rng);
    machine.addDevice(rng);
    machine.resetForInstructionTime();
    return machine;
  }

  private static void release(Machine machine) {
    machine.close();
    machine.ram().forEach(r -> r.release());
  }

  /** One access at a place where something is, or near it; true when something answered. */
  private static boolean access(AddressSpace memory, Random random) {
    List<FlatView.Range> ranges = memory.view().ranges();
    FlatView.Range range = ranges.get(random.nextInt(ranges.size()));
    long offset = random.nextBoolean() ? random.nextInt(0x200) : random.nextLong(range.size());
    long address = range.start() + Math.min(offset, range.size()) - (random.nextInt(16) == 0 ? 4 : 0);
    if (VirtMap.TEST.base() - 8 < address && address < VirtMap.TEST.base() + 8) {
      // It would end the machine, as it should.
      return false;
    }
    long value = random.nextInt(3) == 0 ? random.nextLong() : random.nextInt(256);
    int width = 1 << random.nextInt(4);
    try {
      switch (random.nextInt(6)) {
        case 0, 1 -> memory.read(address, width);
        case 2, 3, 4 -> memory.write(address, width, value);
        default -> memory.write(address, new byte[16], 0, 1 + random.nextInt(16));
      }
      return true;
    } catch (BusFault e) {
      return false;
    }
  }

  @Test
  void junkEverywhereLeavesAMachineThatCanBeSavedLoadedAndReset() throws Exception {
    Machine machine = board();
    Random random = new Random(20);
    int answered = 0;
    for (int i = 0; i < ACCESSES; i++) {
      answered += access(machine.memory(), random) ? 1 : 0;
    }
    assertThat(answered).isGreaterThan(ACCESSES / 2);
    byte[] state = machine.save();
    Machine other = board();
    other.load(state);
    assertThat(other.save()).isEqualTo(state);
    machine.resetForInstructionTime();
    release(machine);
    release(other);
  }
}
