package org.ascus.devices.chardev;

/**
 * A channel whose host's end can be changed while its receiver stays, as if somebody put the cable into another socket.
 * Any thread may do so, one at a time.
 */
public final class ReplaceableChardev extends ForwardingChardev {
  private volatile CharReceiver receiver = CharReceiver.NOBODY;

  public ReplaceableChardev(CharBackend channel) {
    super(channel);
  }

  /** The receiver gets a break, as if it had come from the other side. */
  public void sendBreak() {
    receiver.breakReceived();
  }

  /** Goes on with another channel. The one before is closed first, so that its input does not come between. */
  public void replace(CharBackend next) {
    CharReceiver user = receiver;
    CharBackend before = channel();
    setChannel(next);
    before.close();
    // Who comes and goes tells so when there is a receiver; who is always there does not.
    user.peerChanged(!next.hasPeers());
    if (user != CharReceiver.NOBODY) {
      next.connect(user);
    }
    user.canSend();
  }

  @Override
  public void connect(CharReceiver newReceiver) {
    receiver = newReceiver;
    super.connect(newReceiver);
  }
}
