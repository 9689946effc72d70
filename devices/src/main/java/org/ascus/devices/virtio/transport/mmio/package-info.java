/** Virtio over MMIO (VIRTIO 1.2, section 4.2): a slot with registers, in its legacy and its modern layout. */
package org.ascus.devices.virtio.transport.mmio;
