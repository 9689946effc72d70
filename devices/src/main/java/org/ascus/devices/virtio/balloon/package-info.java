/** The virtio memory balloon (VIRTIO 1.2, section 5.5). */
package org.ascus.devices.virtio.balloon;
