package org.ascus.devices.virtio;

import org.ascus.machine.bus.AddressSpace;
import org.ascus.machine.clock.VirtualClock;
import org.ascus.machine.run.Machine;
import org.ascus.machine.trace.Log;

/**
 * What every virtio device needs of its machine.
 *
 * @param memory where its queues and buffers lie
 * @param clock guest time
 * @param log where broken drivers are reported
 * @param ioError stops the machine because a disk of the host failed; returns at once
 */
public record VirtioHost(AddressSpace memory, VirtualClock clock, Log log, Runnable ioError) {
  public static VirtioHost of(Machine machine) {
    return new VirtioHost(machine.memory(), machine.clock(), machine.log(), machine::stopForIoError);
  }
}
