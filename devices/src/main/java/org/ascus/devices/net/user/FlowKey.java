package org.ascus.devices.net.user;

/**
 * What tells conversations of the guest apart.
 *
 * @param guest its own address
 * @param remote the address that it speaks to, as it knows it
 */
record FlowKey(IpAddress guest, int guestPort, IpAddress remote, int remotePort) {
  // By hand, as in IpAddress: each packet is looked up by these, and a record's own come by way of method handles.

  @Override
  public boolean equals(Object other) {
    return other instanceof FlowKey k
        && guestPort == k.guestPort
        && remotePort == k.remotePort
        && guest.equals(k.guest)
        && remote.equals(k.remote);
  }

  @Override
  public int hashCode() {
    return 31 * (31 * (31 * guest.hashCode() + guestPort) + remote.hashCode()) + remotePort;
  }
}
