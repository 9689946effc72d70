package org.ascus.devices.net;

/** The end of a cable that leads nowhere. */
final class NoBackend implements NetBackend {
  @Override
  public Offloads offloads() {
    return Offloads.NONE;
  }

  @Override
  public boolean receive(Frame frame) {
    return true;
  }

  @Override
  public void roomAgain() {}

  @Override
  public String describe() {
    return "";
  }

  @Override
  public void connect(NetPeer guest) {}

  @Override
  public void close() {}
}
