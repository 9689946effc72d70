/** The virtio 9P transport (VIRTIO 1.2, section 5.9 reserves its number), which carries a file protocol. */
package org.ascus.devices.virtio.p9;
