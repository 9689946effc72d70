/** Virtio over PCI (VIRTIO 1.2, section 4.1): one function with the modern interface, the legacy one, or both. */
package org.ascus.devices.virtio.transport.pci;
