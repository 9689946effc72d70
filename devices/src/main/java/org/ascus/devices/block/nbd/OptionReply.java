package org.ascus.devices.block.nbd;

import java.nio.charset.StandardCharsets;

/**
 * An answer to an option of the handshake; the greeting is the one to option 0.
 *
 * @param type kind of answer; with option 0, 0 is the end of the connection
 */
record OptionReply(int option, int type, byte[] data) {
  boolean isError() {
    return (type & Wire.REP_ERROR) != 0;
  }

  String text() {
    return new String(data, StandardCharsets.UTF_8);
  }

  /** The server's words behind those of ours. */
  String because() {
    return data.length == 0 ? "" : ": " + text();
  }
}
