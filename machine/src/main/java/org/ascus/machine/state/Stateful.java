package org.ascus.machine.state;

/**
 * Something with guest-visible state: each device and CPU. One format serves snapshot, savevm and migration.
 *
 * <p>{@code save} then {@code load} into a fresh instance of the same configuration leaves an instance that the guest
 * cannot tell from the first. Called only while the machine is not running.
 */
public interface Stateful {
  /** Names the section; unique in a machine. */
  String stateId();

  /** The version that {@link #save} writes. */
  default int stateVersion() {
    return 1;
  }

  void save(StateWriter out);

  /**
   * @param version what the stream has; at most {@link #stateVersion()}
   * @throws StateException when a field is missing or out of its range; nothing else is thrown for a bad stream
   */
  void load(StateReader in, int version) throws StateException;
}
