package org.ascus.devices.net.e1000e;

import java.util.ArrayList;
import java.util.List;
import org.ascus.devices.net.NetCard;
import org.ascus.devices.pci.PciDevices;
import org.ascus.devices.pci.PciPlug;
import org.ascus.machine.device.DeviceContext;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.device.DeviceProvider;
import org.ascus.machine.device.DeviceType;
import org.ascus.machine.device.Property;
import org.ascus.machine.device.Property.Kind;
import org.ascus.machine.device.PropertyValues;
import org.ascus.machine.run.Machine;
import org.ascus.machine.run.RunState;

/** The card as a user names it. */
public final class E1000eDevices implements DeviceProvider {
  /** For {@link java.util.ServiceLoader}. */
  public E1000eDevices() {}

  @Override
  public List<DeviceType> types() {
    List<Property> properties = new ArrayList<>(PciPlug.PROPERTIES);
    properties.addAll(NetCard.PROPERTIES);
    properties.add(new Property("bootindex", Kind.UINT32, "", "Place in the firmware's boot order"));
    return List.of(
        new DeviceType("e1000e", PciDevices.BUS, "Intel 82574L GbE Controller", properties, this::create));
  }

  private E1000e create(DeviceContext context, String id, PropertyValues v) throws DeviceException {
    Machine machine = context.machine();
    E1000e card =
        new E1000e(
            id,
            machine.memory(),
            machine.clock(),
            machine.log(),
            NetCard.link(context, v),
            NetCard.mac(context, v),
            PciPlug.bus(context, v).isLink());
    PciPlug.plug(context, v, card);
    // What comes while the machine is stopped waits with the sender.
    machine.addStateListener(
        state -> {
          if (state == RunState.RUNNING) {
            card.resumed();
          } else {
            card.quiesce();
          }
        });
    return card;
  }
}
