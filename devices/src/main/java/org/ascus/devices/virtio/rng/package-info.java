/** The virtio entropy device (VIRTIO 1.2, section 5.4). */
package org.ascus.devices.virtio.rng;
