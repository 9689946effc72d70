package org.ascus.launcher.monitor;

import java.util.Map;
import java.util.Optional;
import org.ascus.devices.chardev.RingChardev;

/** The host's ends of all byte channels of a machine, by their labels. */
public interface Chardevs {
  /** What each is connected to, by label, in the order in which they were opened. */
  Map<String, String> describe();

  /** The ring buffer of that label. */
  Optional<RingChardev> ring(String label);
}
