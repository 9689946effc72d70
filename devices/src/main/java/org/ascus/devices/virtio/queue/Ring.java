package org.ascus.devices.virtio.queue;

import java.util.Optional;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;

/** A virtqueue format at work: where available buffers come from and used ones go. */
sealed interface Ring permits SplitRing, PackedRing {
  Optional<VirtqueueElement> pop() throws VirtqueueException;

  boolean isEmpty() throws VirtqueueException;

  /** Records the buffer of {@link VirtqueueElement#head} as used, {@code written} bytes long, unseen by the driver. */
  void push(int head, long written) throws VirtqueueException;

  /** Shows the driver all that was pushed; returns whether it wants an interrupt for that. */
  boolean publish() throws VirtqueueException;

  /** Whether the driver should notify us about new buffers. */
  void setNotifications(boolean wanted) throws VirtqueueException;

  void setEventIndex(boolean eventIndex);

  /** Buffers popped and not yet pushed. */
  int inUse();

  /** Steps back over the last {@code count} buffers that were popped, as if they never were. */
  void unpop(int count);

  void save(String prefix, StateWriter out);

  void load(String prefix, StateReader in) throws StateException;
}
