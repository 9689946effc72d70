package org.ascus.devices.virtio.net;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import org.ascus.devices.virtio.queue.ScatterList;
import org.ascus.devices.virtio.queue.Virtqueue;
import org.ascus.devices.virtio.queue.VirtqueueElement;
import org.ascus.devices.virtio.queue.VirtqueueException;

/**
 * The commands of the control queue (VIRTIO 1.2, section 5.1.6.5): class (1 byte), command (1), data; the device writes
 * one byte, 0 for done and 1 for refused.
 */
final class ControlQueue {
  private static final int RX = 0;
  private static final int MAC = 1;
  private static final int VLAN = 2;
  private static final int ANNOUNCE = 3;
  private static final int MQ = 4;
  private static final int OFFLOADS = 5;

  private static final int MAC_TABLE = 0;
  private static final int MAC_ADDRESS = 1;

  private static final int OK = 0;
  private static final int ERROR = 1;

  /** Two tables of a few thousand addresses each. */
  private static final int MOST_DATA = 1 << 16;

  /** What commands do; each says whether it is done. */
  interface Target {
    boolean mode(int mode, boolean on);

    boolean table(byte[] data);

    boolean address(byte[] data);

    boolean vlan(int number, boolean wanted);

    boolean announced();

    boolean pairs(int count);

    boolean offloads(long bits);
  }

  private final Target target;

  ControlQueue(Target target) {
    this.target = target;
  }

  /** Does all commands that are there and returns whether there were any. */
  boolean run(Virtqueue queue) throws VirtqueueException {
    boolean any = false;
    for (Optional<VirtqueueElement> next = queue.pop(); next.isPresent(); next = queue.pop()) {
      ScatterList command = next.get().readable();
      if (command.size() < 2 || next.get().writable().size() < 1) {
        throw new VirtqueueException(
            "command of " + command.size() + " bytes, answer of " + next.get().writable().size());
      }
      byte[] bytes = command.toBytes(0, MOST_DATA);
      byte[] data = java.util.Arrays.copyOfRange(bytes, 2, bytes.length);
      int result = done(bytes[0], bytes[1], data) ? OK : ERROR;
      next.get().writable().write(0, new byte[] {(byte) result}, 0, 1);
      queue.push(next.get(), 1);
      any = true;
    }
    return any;
  }

  private boolean done(int kind, int command, byte[] data) {
    ByteBuffer in = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
    return switch (kind) {
      case RX -> command >= 0 && command < RxFilter.MODES && data.length >= 1 && target.mode(command, data[0] != 0);
      case MAC ->
          switch (command) {
            case MAC_TABLE -> target.table(data);
            case MAC_ADDRESS -> target.address(data);
            default -> false;
          };
      case VLAN ->
          (command == 0 || command == 1) && data.length >= 2 && target.vlan(in.getShort() & 0xffff, command == 0);
      case ANNOUNCE -> command == 0 && target.announced();
      case MQ -> command == 0 && data.length >= 2 && target.pairs(in.getShort() & 0xffff);
      case OFFLOADS -> command == 0 && data.length >= 8 && target.offloads(in.getLong());
      default -> false;
    };
  }
}
