package org.ascus.devices.chardev;

/** A channel in front of another one, which does everything that a subclass does not do differently. */
abstract sealed class ForwardingChardev implements CharBackend permits LoggedChardev, ReplaceableChardev {
  private volatile CharBackend channel;

  ForwardingChardev(CharBackend channel) {
    this.channel = channel;
  }

  /** The channel behind this one. */
  final CharBackend channel() {
    return channel;
  }

  final void setChannel(CharBackend next) {
    channel = next;
  }

  @Override
  public void write(byte[] data, int offset, int length) {
    channel.write(data, offset, length);
  }

  @Override
  public final boolean hasRoom() {
    return channel.hasRoom();
  }

  @Override
  public final boolean hasPeers() {
    return channel.hasPeers();
  }

  @Override
  public void connect(CharReceiver receiver) {
    channel.connect(receiver);
  }

  @Override
  public final void acceptInput() {
    channel.acceptInput();
  }

  @Override
  public void close() {
    channel.close();
  }
}
