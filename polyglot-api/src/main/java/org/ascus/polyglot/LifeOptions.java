package org.ascus.polyglot;

/**
 * How a machine begins and ends.
 *
 * @param paused {@code -S}: it waits for {@link Vm#resume}
 * @param noReboot {@code -no-reboot}: a reset by the guest ends it
 * @param noShutdown {@code -no-shutdown}: a shutdown by the guest leaves it stopped
 */
public record LifeOptions(boolean paused, boolean noReboot, boolean noShutdown) {
  /** Starts at once; resets and shutdowns do what they say. */
  public static final LifeOptions DEFAULT = new LifeOptions(false, false, false);
}
