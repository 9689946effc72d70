package org.ascus.devices.virtio.net;

import org.ascus.devices.net.Frame;

/** Keeps the frames of one conversation in one queue. */
final class FlowHash {
  private FlowHash() {}

  /** A number from 0 up, the same for all frames between the same two addresses and ports. */
  static int of(byte[] frame) {
    int type = (frame[12] & 0xff) << 8 | frame[13] & 0xff;
    int addresses = type == 0x0800 ? Frame.HEADER + 12 : type == 0x86dd ? Frame.HEADER + 8 : 0;
    int size = type == 0x0800 ? 8 : type == 0x86dd ? 32 : 12;
    int protocol = type == 0x0800 ? Frame.HEADER + 9 : Frame.HEADER + 6;
    int ports = type == 0x0800 && frame.length > Frame.HEADER ? Frame.HEADER + 4 * (frame[Frame.HEADER] & 15) : 54;
    int hash = 0;
    for (int i = 0; i < size && addresses + i < frame.length; i++) {
      hash = 31 * hash + frame[addresses + i];
    }
    boolean hasPorts = addresses != 0 && ports + 4 <= frame.length && (frame[protocol] == 6 || frame[protocol] == 17);
    for (int i = 0; hasPorts && i < 4; i++) {
      hash = 31 * hash + frame[ports + i];
    }
    return (hash ^ hash >>> 16) & 0xffff;
  }
}
