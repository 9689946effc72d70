package org.ascus.launcher.options;

/**
 * A named byte channel.
 *
 * @param mux several devices and the monitor may share it; Ctrl-a c switches
 */
public record ChardevOptions(String id, CharOptions kind, boolean mux) {}
