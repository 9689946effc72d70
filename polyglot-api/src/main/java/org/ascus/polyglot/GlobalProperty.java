package org.ascus.polyglot;

/**
 * Another default for a property of all devices of one type, {@code -global driver.property=value}.
 *
 * @param driver a device type, or {@code virtio-mmio} for the board's own transports
 */
public record GlobalProperty(String driver, String property, String value) {}
