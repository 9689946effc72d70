package org.ascus.devices.net;

/** The host's end of a network, {@code -netdev}. */
public interface NetBackend extends NetPeer, AutoCloseable {
  /** What it is and how it is set, as {@code info network} shows it: {@code type=user,net=10.0.2.0,...}. */
  String describe();

  /** Connects the guest's end, once, before the machine starts. */
  void connect(NetPeer guest);

  /** Takes back all that it has of the host. Harmless when repeated. */
  @Override
  void close();
}
