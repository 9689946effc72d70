package org.ascus.devices.virtio.transport.pci;

/**
 * What a user can choose about the transport.
 *
 * @param legacy offer the interface from before VIRTIO 1
 * @param modern offer that of VIRTIO 1
 * @param express the function is an endpoint behind a port
 * @param vectors message vectors; 0 for none
 */
public record VirtioPciOptions(boolean legacy, boolean modern, boolean express, int vectors) {}
