package org.ascus.polyglot;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A device to plug in, {@code -device}.
 *
 * @param option what the user wrote; starts error messages
 * @param driver name of the device type
 * @param id the user's name for it; empty to have one made up
 * @param properties texts by property name, in order
 */
public record DeviceOptions(String option, String driver, String id, Map<String, String> properties) {
  public DeviceOptions {
    properties = Collections.unmodifiableMap(new LinkedHashMap<>(properties));
  }
}
