/**
 * Virtqueues (VIRTIO 1.2, section 2.6 to 2.8): rings in guest memory, descriptor chains parsed into scatter lists.
 * Knows neither devices nor transports. Each format, split or packed, is a {@code Ring}.
 */
package org.ascus.devices.virtio.queue;
