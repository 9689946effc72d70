package org.ascus.devices.net.filter;

import org.ascus.devices.chardev.CharBackend;
import org.ascus.devices.net.Frame;
import org.ascus.devices.net.NetFilter;

/** {@code filter-mirror}: writes a copy of each frame to a byte channel, see {@link FrameWire}. */
public final class MirrorFilter implements NetFilter {
  private final Outlet out;

  public MirrorFilter(CharBackend out, boolean virtioHeaders) {
    this.out = new Outlet(out, virtioHeaders);
  }

  @Override
  public void seen(Frame frame, Direction way) {
    out.send(frame);
  }

  /** The channel belongs to the machine. */
  @Override
  public void close() {}
}
