package org.ascus.machine.device;

import org.ascus.machine.run.Machine;

/** What a device gets from the machine it is plugged into. */
public interface DeviceContext {
  Machine machine();

  /**
   * A back end or bus that was made before the devices, by the id a property names.
   *
   * @param kind the interface it must have, which the consumer defines
   * @param id the user's name for it; empty asks for the only or next free one, as a bus
   * @throws DeviceException naming the id when there is none or it is of another kind
   */
  <T> T lookup(Class<T> kind, String id) throws DeviceException;
}
