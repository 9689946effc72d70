package org.ascus.devices.virtio.queue;

/**
 * A buffer that the driver made available: one descriptor chain.
 *
 * @param head index that names the chain when it is given back
 * @param readable what the device may read; all of it comes before what it may write
 * @param writable what the device may write
 */
public record VirtqueueElement(int head, ScatterList readable, ScatterList writable) {}
