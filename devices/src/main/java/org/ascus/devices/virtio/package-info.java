/**
 * The virtio device model (VIRTIO 1.2, section 2): what a device is to its transport, and a transport to its device.
 * Rings live in {@code queue}, transports in {@code transport}, each device in a package of its own.
 */
package org.ascus.devices.virtio;
