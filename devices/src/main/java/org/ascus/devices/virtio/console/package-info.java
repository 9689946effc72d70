/** The virtio console device with its ports (VIRTIO 1.2, section 5.3). What the ports lead to is chardev's business. */
package org.ascus.devices.virtio.console;
