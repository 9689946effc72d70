package org.ascus.devices.virtio.scsi;

import java.util.Map;
import java.util.Optional;
import org.ascus.devices.scsi.ScsiDisk;
import org.ascus.machine.device.Device;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;

/** A unit as a device of the machine: what is saved and reset of it. */
public final class ScsiUnitDevice extends Device {
  private final ScsiDisk unit;
  private final ScsiBus bus;

  ScsiUnitDevice(String type, String id, ScsiDisk unit, ScsiBus bus) {
    super(type, id);
    this.unit = unit;
    this.bus = bus;
  }

  @Override
  public Optional<String> parent() {
    return Optional.of(bus.id());
  }

  /** Takes it off its bus, which tells the guest. */
  public void unplug() {
    bus.unplug(unit);
  }

  @Override
  public void resetEnter() {
    unit.reset();
  }

  @Override
  public Map<String, String> properties() {
    return Map.of("drive", unit.node().name(), "serial", unit.options().names().serial());
  }

  @Override
  public void save(StateWriter out) {
    out.putBoolean("attention", unit.hasAttention());
    out.putBoolean("writeCache", unit.hasWriteCache());
    out.putBoolean("trayOpen", unit.trayOpen());
    out.putBoolean("locked", unit.locked());
  }

  @Override
  public void load(StateReader in, int version) throws StateException {
    unit.restore(in.getBoolean("attention"), in.getBoolean("writeCache"));
    unit.restoreTray(in.getBoolean("trayOpen"), in.getBoolean("locked"));
  }
}
