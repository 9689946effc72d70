package org.ascus.launcher.options;

import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.ascus.machine.device.DeviceType;
import org.ascus.machine.device.Property;
import org.ascus.polyglot.DeviceOptions;
import org.ascus.polyglot.GlobalProperty;

/** {@code -device} and {@code -global}, both driven by the registry of device types. */
public final class DeviceArguments {
  private DeviceArguments() {}

  static void device(Draft draft, String argument) throws OptionException {
    KeyValues kv = KeyValues.parseOrJson(argument, "driver");
    Optional<String> driver = kv.take("driver");
    if (driver.isEmpty() && kv.asksForHelp()) {
      draft.answer(list(draft));
      return;
    }
    String name = driver.orElseThrow(() -> new OptionException("Parameter 'driver' is missing"));
    DeviceType type =
        draft
            .catalog()
            .find(name)
            .orElseThrow(() -> new OptionException("'" + name + "' is not a valid device model name"));
    if (kv.asksForHelp()) {
      draft.answer(properties(type));
      return;
    }
    String id = kv.takeId().orElse("");
    draft.devices.add(new DeviceOptions("-device " + argument, name, id, kv.rest()));
  }

  /**
   * The argument of the monitor's {@code device_add}, which is that of {@code -device}.
   *
   * @throws OptionException when it is malformed; names and values are checked when the device is made
   */
  public static DeviceOptions parse(String argument) throws OptionException {
    KeyValues kv = KeyValues.parse(argument, "driver");
    return new DeviceOptions("device_add", kv.require("driver"), kv.takeId().orElse(""), kv.rest());
  }

  private static String list(Draft draft) {
    Map<String, String> byBus = new TreeMap<>();
    draft.catalog().types().forEach(t -> byBus.merge(t.bus(), line(t), String::concat));
    StringBuilder text = new StringBuilder();
    byBus.forEach((bus, lines) -> text.append("Devices on bus ").append(bus).append(":\n").append(lines));
    return text.toString();
  }

  private static String line(DeviceType type) {
    return String.format("name \"%s\", bus %s, desc \"%s\"%n", type.name(), type.bus(), type.description());
  }

  private static String properties(DeviceType type) {
    StringBuilder text = new StringBuilder(type.name() + " options:\n");
    for (Property p : type.properties()) {
      String left = p.name() + "=<" + p.kind().label() + ">";
      String rest = p.defaultValue().isEmpty() ? "" : " (default: " + p.defaultValue() + ")";
      text.append(String.format("  %-22s - %s%s%n", left, p.description(), rest));
    }
    return text.toString();
  }

  static void global(Draft draft, String argument) throws OptionException {
    int eq = argument.indexOf('=');
    int dot = argument.lastIndexOf('.', eq);
    if (eq > 0 && dot > 0 && !argument.startsWith("driver=")) {
      draft.globals.add(
          new GlobalProperty(argument.substring(0, dot), argument.substring(dot + 1, eq), argument.substring(eq + 1)));
      return;
    }
    KeyValues kv = KeyValues.parse(argument, "");
    draft.globals.add(new GlobalProperty(kv.require("driver"), kv.require("property"), kv.require("value")));
    kv.expectEmpty();
  }
}
