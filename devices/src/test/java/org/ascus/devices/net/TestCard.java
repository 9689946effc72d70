package org.ascus.devices.net;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** The guest's end of a network in tests: keeps what comes, takes nothing while it is told not to. */
public final class TestCard implements NetPeer {
  private final BlockingQueue<Frame> frames = new LinkedBlockingQueue<>();
  private volatile boolean full;

  public void setFull(boolean full) {
    this.full = full;
  }

  /** The next frame. */
  public Frame next() throws InterruptedException {
    Frame frame = frames.poll(10, TimeUnit.SECONDS);
    assertThat(frame).as("a frame").isNotNull();
    return frame;
  }

  /** How many wait to be looked at. */
  public int count() {
    return frames.size();
  }

  @Override
  public Offloads offloads() {
    return Offloads.NONE;
  }

  @Override
  public boolean receive(Frame frame) {
    return !full && frames.add(frame);
  }

  @Override
  public void roomAgain() {}

  /** A frame that can be told from others. */
  public static Frame frame(int number) {
    byte[] bytes = new byte[60 + number % 1400];
    bytes[20] = (byte) (number >>> 8);
    bytes[21] = (byte) number;
    return new Frame(bytes);
  }
}
