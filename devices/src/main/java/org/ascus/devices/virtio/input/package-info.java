/** Virtio input devices (VIRTIO 1.2, section 5.8): keyboard, mouse, tablet. */
package org.ascus.devices.virtio.input;
