/** The virtio block device (VIRTIO 1.2, section 5.2). Where the bytes are is a block node's business. */
package org.ascus.devices.virtio.blk;
