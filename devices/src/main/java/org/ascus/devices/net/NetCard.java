package org.ascus.devices.net;

import java.util.List;
import org.ascus.machine.device.DeviceContext;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.device.Property;
import org.ascus.machine.device.Property.Kind;
import org.ascus.machine.device.PropertyValues;

/** A network card, as those see it who look for cards among devices; and what a user can say about any card. */
public interface NetCard {
  /** Properties that every card has. */
  List<Property> PROPERTIES =
      List.of(
          new Property("netdev", Kind.STRING, "", "ID of a -netdev; a cable that leads nowhere if empty"),
          new Property("mac", Kind.STRING, "", "Ethernet address; 52:54:00:12:34:56 and up if empty"));

  /** Its Ethernet address, as the driver may have changed it. */
  MacAddress mac();

  /** Its cable. */
  NetLink link();

  /** The cable that {@code netdev} names. */
  static NetLink link(DeviceContext context, PropertyValues values) throws DeviceException {
    String netdev = values.getString("netdev");
    return netdev.isEmpty() ? NetLink.none() : context.lookup(NetLink.class, netdev);
  }

  /** The address that {@code mac} says, or the next that no card had yet. */
  static MacAddress mac(DeviceContext context, PropertyValues values) throws DeviceException {
    String text = values.getString("mac");
    if (text.isEmpty()) {
      long cards = context.machine().devices().stream().filter(NetCard.class::isInstance).count();
      return new MacAddress(MacAddress.FIRST_CARD.value() + cards);
    }
    try {
      return MacAddress.parse(text);
    } catch (IllegalArgumentException e) {
      throw new DeviceException("Property 'mac' doesn't take value '" + text + "'", e);
    }
  }
}
