/** The virtio network device. */
package org.ascus.devices.virtio.net;
