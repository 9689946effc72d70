package org.ascus.launcher.monitor;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.ascus.devices.chardev.CharBackend;
import org.ascus.devices.chardev.NullChardev;
import org.ascus.devices.chardev.RingChardev;
import org.ascus.launcher.options.OptionException;

/** One ring buffer; notes what else it is asked for. */
final class TestChardevs implements Chardevs {
  private final RingChardev ring = RingChardev.of(16);
  final List<String> asked = new ArrayList<>();

  @Override
  public Map<String, String> describe() {
    return Map.of("ring", "ringbuf");
  }

  @Override
  public Optional<RingChardev> ring(String label) {
    return label.equals("ring") ? Optional.of(ring) : Optional.empty();
  }

  @Override
  public String add(String argument) throws OptionException {
    asked.add("add " + argument);
    if (argument.startsWith("foo")) {
      throw new OptionException("'foo' is not a valid char driver name");
    }
    return "added";
  }

  @Override
  public void remove(String id) {
    asked.add("remove " + id);
  }

  @Override
  public void change(String id, String argument) {
    asked.add("change " + id + " to " + argument);
  }

  @Override
  public void sendBreak(String id) {
    asked.add("break " + id);
  }

  @Override
  public CharBackend front(String id, String user) {
    return new NullChardev();
  }
}
