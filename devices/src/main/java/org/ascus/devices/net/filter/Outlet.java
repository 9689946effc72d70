package org.ascus.devices.net.filter;

import org.ascus.devices.chardev.CharBackend;
import org.ascus.devices.net.Frame;
import org.ascus.devices.net.Offloads;
import org.ascus.devices.net.Segments;

/** Where a filter sends frames, {@code outdev}. What the channel has no room for is lost, as on a busy network. */
final class Outlet {
  private final CharBackend channel;
  private final boolean virtioHeaders;

  Outlet(CharBackend channel, boolean virtioHeaders) {
    this.channel = channel;
    this.virtioHeaders = virtioHeaders;
  }

  synchronized void send(Frame frame) {
    try {
      // Whoever reads them knows nothing of work that is left to do.
      for (Segments pieces = new Segments(frame, Offloads.NONE); pieces.hasNext(); pieces.advance()) {
        if (channel.hasRoom()) {
          byte[] bytes = pieces.next().bytes();
          byte[] head = FrameWire.head(bytes.length, virtioHeaders);
          channel.write(head, 0, head.length);
          channel.write(bytes, 0, bytes.length);
        }
      }
    } catch (IllegalArgumentException e) {
      // A frame that cannot be cut is none that anybody could read.
    }
  }
}
