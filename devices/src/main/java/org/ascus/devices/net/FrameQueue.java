package org.ascus.devices.net;

import java.util.ArrayDeque;
import java.util.Deque;

/** Frames on their way from the guest's threads to the back end's, so many and not more. */
public final class FrameQueue {
  private final int mostFrames;
  private final int mostBytes;
  private final Deque<Frame> frames = new ArrayDeque<>();
  private int bytes;
  private boolean refused;
  private boolean claimed;

  /** Nothing waits yet. */
  public FrameQueue(int mostFrames, int mostBytes) {
    this.mostFrames = mostFrames;
    this.mostBytes = mostBytes;
  }

  /** Returns false if there is no room. */
  public synchronized boolean add(Frame frame) {
    if (frames.size() >= mostFrames || bytes >= mostBytes) {
      refused = true;
      return false;
    }
    frames.add(frame);
    bytes += frame.length();
    return true;
  }

  /** The next frame, or null. */
  public synchronized Frame poll() {
    Frame frame = frames.poll();
    bytes -= frame == null ? 0 : frame.length();
    return frame;
  }

  /** Whether a frame was refused since this was asked last, and there is room. */
  public synchronized boolean wasRefused() {
    boolean was = refused;
    refused = false;
    return was;
  }

  /** True for the one caller who must have the consumer woken up. */
  public synchronized boolean claimWork() {
    boolean mine = !claimed;
    claimed = true;
    return mine;
  }

  /** The consumer begins: frames that are added from now on need another wake-up. */
  public synchronized void beginWork() {
    claimed = false;
  }

  /** As {@link #claimWork}, if there is any frame. */
  public synchronized boolean claimWorkIfAny() {
    return !frames.isEmpty() && claimWork();
  }
}
