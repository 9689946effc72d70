package org.ascus.launcher.monitor;

import java.util.Map;
import java.util.Optional;
import org.ascus.devices.chardev.CharBackend;
import org.ascus.devices.chardev.RingChardev;
import org.ascus.launcher.options.OptionException;
import org.ascus.machine.device.DeviceException;

/** The host's ends of all byte channels of a machine, by their labels. */
public interface Chardevs {
  /** What each is connected to, by label, in the order in which they were opened. */
  Map<String, String> describe();

  /** The ring buffer of that label. */
  Optional<RingChardev> ring(String label);

  /**
   * Opens another channel, for devices that are plugged in later.
   *
   * @param argument as that of {@code -chardev}
   * @return its id
   * @throws OptionException when it is malformed, cannot be opened, or there is one of that id
   */
  String add(String argument) throws OptionException;

  /**
   * Closes a channel that nobody uses.
   *
   * @throws OptionException when there is none of that id, or somebody does
   */
  void remove(String id) throws OptionException;

  /**
   * Gives whoever uses a channel another one in its place.
   *
   * @param argument as that of {@code -chardev}, without the id
   * @throws OptionException as for {@link #add}; then the one before stays
   */
  void change(String id, String argument) throws OptionException;

  /** Whoever uses the channel gets a break. */
  void sendBreak(String id) throws OptionException;

  /**
   * The channel {@code id}, which is open, for one more user.
   *
   * @throws DeviceException when it has as many as it can have
   */
  CharBackend front(String id, String user) throws DeviceException;
}
