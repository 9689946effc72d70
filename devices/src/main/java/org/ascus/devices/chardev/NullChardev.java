package org.ascus.devices.chardev;

/** Drops output and has no input. */
public final class NullChardev implements CharBackend {
  @Override
  public void write(byte[] data, int offset, int length) {}

  @Override
  public void connect(CharReceiver receiver) {}
}
