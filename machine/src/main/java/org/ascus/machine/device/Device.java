package org.ascus.machine.device;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.ascus.machine.state.Stateful;

/**
 * A device: confined by {@link #lock}, which its MMIO handlers, timers and completions hold, so that no two of them run
 * at once. Lock order: a device may drive interrupt lines while it holds its lock (an interrupt controller never calls
 * back), and takes no other device's lock.
 */
public abstract class Device implements Stateful {
  private final ReentrantLock lock = new ReentrantLock();
  private final String type;
  private final String id;

  /**
   * @param type name of the device type, such as {@code virtio-blk-device}
   * @param id unique in the machine; names the section of the state stream
   */
  protected Device(String type, String id) {
    this.type = type;
    this.id = id;
  }

  public final String type() {
    return type;
  }

  public final String id() {
    return id;
  }

  public final ReentrantLock lock() {
    return lock;
  }

  /** Wraps a timer callback or completion so that it holds the lock. */
  protected final Runnable confined(Runnable body) {
    return () -> {
      lock.lock();
      try {
        body.run();
      } finally {
        lock.unlock();
      }
    };
  }

  @Override
  public String stateId() {
    return id;
  }

  /** First reset phase: forget everything; touch nothing outside. */
  public void resetEnter() {}

  /** Second phase, after every device had its first: drive outputs to their reset levels. */
  public void resetHold() {}

  /** Last phase: start what runs by itself. */
  public void resetExit() {}

  /**
   * Finishes what its own threads do to guest memory. Called without the lock while no CPU runs, before a state is
   * saved or loaded; afterwards the device touches nothing until a CPU or a timer runs again.
   */
  public void quiesce() {}

  /** Id of the device that this one is plugged into, and is taken out with; empty if none but the machine. */
  public Optional<String> parent() {
    return Optional.empty();
  }

  /** Property values for {@code info qtree}. */
  public Map<String, String> properties() {
    return Map.of();
  }

  /** Releases host resources when the machine ends. */
  public void close() {}
}
