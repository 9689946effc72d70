package org.ascus.machine.run;

import org.ascus.machine.bus.GuestRam;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;
import org.ascus.machine.state.Stateful;

/** The machine's own section: guest time and the pages of RAM that are not all zero. */
final class MachineState implements Stateful {
  private static final int PAGE = 4096;

  private final Machine machine;

  MachineState(Machine machine) {
    this.machine = machine;
  }

  @Override
  public String stateId() {
    return "machine";
  }

  @Override
  public void save(StateWriter out) {
    out.putLong("nanos", machine.clock().nanos());
    for (GuestRam ram : machine.ram()) {
      out.putLong("ram." + ram.name() + ".size", ram.size());
      byte[] page = new byte[PAGE];
      for (long at = 0; at < ram.size(); at += PAGE) {
        if (!isZero(ram, at)) {
          ram.read(at, page, 0, PAGE);
          out.putBytes("ram." + ram.name() + "." + at, page.clone());
        }
      }
    }
  }

  private static boolean isZero(GuestRam ram, long page) {
    for (int at = 0; at < PAGE; at += 8) {
      if (ram.getLong(page + at) != 0) {
        return false;
      }
    }
    return true;
  }

  @Override
  public void load(StateReader in, int version) throws StateException {
    machine.setNanos(in.getLong("nanos"));
    for (GuestRam ram : machine.ram()) {
      in.getLong("ram." + ram.name() + ".size", ram.size(), ram.size());
      for (long at = 0; at < ram.size(); at += PAGE) {
        String field = "ram." + ram.name() + "." + at;
        if (in.has(field)) {
          byte[] page = in.getBytes(field);
          if (page.length != PAGE) {
            throw new StateException("section machine, field " + field + ": not a page");
          }
          ram.write(at, page, 0, PAGE);
        } else if (!isZero(ram, at)) {
          ram.fill(at, PAGE, (byte) 0);
        }
      }
    }
  }
}
