package org.ascus.tests.tiers;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;
import java.util.zip.Checksum;
import org.ascus.machine.bus.GuestRam;
import org.ascus.machine.cpu.Cpu;
import org.ascus.machine.device.Device;
import org.ascus.machine.run.Machine;
import org.ascus.machine.state.StateWriter;

/**
 * What a machine is at an instant, for comparison: what a saved state holds of CPUs and devices, and check sums of RAM.
 *
 * @param instructions executed, of all harts
 * @param cpus all registers, counters and modes as text, a hart after the other
 * @param sections of CPUs and devices, as a state stream
 * @param ram two check sums of each {@link #CHUNK} of memory
 */
record GuestState(long instructions, String cpus, byte[] sections, long[] ram) {
  private static final int CHUNK = 1 << 20;

  static GuestState of(Machine machine) {
    machine.devices().forEach(Device::quiesce);
    StateWriter out = new StateWriter();
    StringBuilder text = new StringBuilder("nanoseconds " + machine.clock().nanos() + "\n");
    long instructions = 0;
    for (Cpu cpu : machine.cpus()) {
      out.section(cpu);
      text.append(cpu.describe()).append('\n');
      instructions += cpu.instructionCount();
    }
    machine.devices().forEach(out::section);
    List<Long> sums = new ArrayList<>();
    for (GuestRam ram : machine.ram()) {
      for (long at = 0; at < ram.size(); at += CHUNK) {
        ByteBuffer bytes = ram.view(at, (int) Math.min(CHUNK, ram.size() - at));
        sums.add(sum(new CRC32(), bytes.duplicate()) << 32 | sum(new CRC32C(), bytes));
      }
    }
    return new GuestState(
        instructions, text.toString(), out.toByteArray(), sums.stream().mapToLong(Long::longValue).toArray());
  }

  private static long sum(Checksum checksum, ByteBuffer bytes) {
    checksum.update(bytes);
    return checksum.getValue();
  }

  boolean same(GuestState other) {
    return instructions == other.instructions
        && cpus.equals(other.cpus)
        && Arrays.equals(sections, other.sections)
        && Arrays.equals(ram, other.ram);
  }

  /** What differs from {@code expected}, by lines of the registers and by chunks of memory. */
  String differences(GuestState expected) {
    StringBuilder out = new StringBuilder();
    if (instructions != expected.instructions) {
      out.append("  ").append(instructions).append(" instructions in place of ").append(expected.instructions)
          .append('\n');
    }
    String[] ours = cpus.split("\n");
    String[] theirs = expected.cpus.split("\n");
    for (int i = 0; i < Math.min(ours.length, theirs.length); i++) {
      if (!ours[i].equals(theirs[i])) {
        out.append("  - ").append(theirs[i].strip()).append("\n  + ").append(ours[i].strip()).append('\n');
      }
    }
    for (int i = 0; i < ram.length; i++) {
      if (ram[i] != expected.ram[i]) {
        out.append("  memory, MiB ").append(i).append('\n');
      }
    }
    return out.isEmpty() ? "  state of CPUs or devices that is not shown as text\n" : out.toString();
  }
}
