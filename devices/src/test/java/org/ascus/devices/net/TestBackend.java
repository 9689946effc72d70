package org.ascus.devices.net;

import java.util.ArrayList;
import java.util.List;

/** A back end that keeps what the guest sends and has as much room as a test says. */
public final class TestBackend implements NetBackend {
  private final Offloads offloads;
  private final List<Frame> sent = new ArrayList<>();
  private NetPeer guest;
  private int room = Integer.MAX_VALUE;
  private int roomAgain;

  public TestBackend(Offloads offloads) {
    this.offloads = offloads;
  }

  public synchronized void setRoom(int frames) {
    room = frames;
  }

  public NetPeer guest() {
    return guest;
  }

  /** What the guest sent since this was asked last. */
  public synchronized List<Frame> sent() {
    List<Frame> result = List.copyOf(sent);
    sent.clear();
    return result;
  }

  /** How often the guest said that it has room again. */
  public synchronized int roomAgainCount() {
    return roomAgain;
  }

  @Override
  public Offloads offloads() {
    return offloads;
  }

  @Override
  public synchronized boolean receive(Frame frame) {
    if (room == 0) {
      return false;
    }
    room--;
    sent.add(frame);
    return true;
  }

  @Override
  public synchronized void roomAgain() {
    roomAgain++;
  }

  @Override
  public String describe() {
    return "type=test";
  }

  @Override
  public void connect(NetPeer guest) {
    this.guest = guest;
  }

  @Override
  public void close() {}
}
