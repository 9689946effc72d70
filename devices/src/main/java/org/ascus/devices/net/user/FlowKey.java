package org.ascus.devices.net.user;

/**
 * What tells conversations of the guest apart.
 *
 * @param guest its own address
 * @param remote the address that it speaks to, as it knows it
 */
record FlowKey(IpAddress guest, int guestPort, IpAddress remote, int remotePort) {}
