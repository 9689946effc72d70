/** The virtio SCSI host (VIRTIO 1.2, section 5.6); the units behind it are {@code org.ascus.devices.scsi}'s. */
package org.ascus.devices.virtio.scsi;
