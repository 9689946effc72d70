/** The virtio socket device (VIRTIO 1.2, section 5.10), whose connections end in Unix sockets of the host. */
package org.ascus.devices.virtio.vsock;
