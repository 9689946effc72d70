package org.ascus.devices.virtio.scsi;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.locks.Condition;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.scsi.ScsiData;
import org.ascus.devices.scsi.ScsiDisk;
import org.ascus.devices.scsi.SenseException;
import org.ascus.devices.virtio.VirtioDevice;
import org.ascus.devices.virtio.VirtioHost;
import org.ascus.devices.virtio.queue.Virtqueue;
import org.ascus.devices.virtio.queue.VirtqueueElement;
import org.ascus.devices.virtio.queue.VirtqueueException;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;

/**
 * The virtio SCSI host (VIRTIO 1.2, section 5.6): a control queue, an event queue, on which nothing happens, and
 * request queues. A request is a header (lun 8 bytes, tag 64, attribute, priority, reference, command) with data to
 * the device behind it, and its answer (sense length 32, residual 32, qualifier 16, status 8, response 8, sense) with
 * data to the driver behind it.
 *
 * <p>One worker thread runs the commands, without the device's lock, and completes them under it. When time goes by
 * instruction count they run at once on the thread that notifies. A reset gives up what has not begun.
 */
public final class VirtioScsi extends VirtioDevice implements ScsiBus {
  /** Most request queues. */
  public static final int MAX_QUEUES = 16;

  private static final int DEVICE_ID = 8;
  private static final int QUEUE_SIZE = 256;
  private static final int FIXED_QUEUES = 2;
  private static final long F_INOUT = 1;
  private static final int CONFIG_SIZE = 36;
  private static final int CONFIG_SENSE = 20;
  private static final int CONFIG_CDB = 24;
  private static final int SENSE_DEFAULT = 96;
  private static final int CDB_DEFAULT = 32;
  private static final int MOST_SIZE = 252;
  private static final int HEADER = 19;
  private static final int RESPONSE = 12;
  private static final int TARGETS = 256;
  private static final int MAX_LUN = 16383;
  private static final int CHECK_CONDITION = 2;
  private static final int BAD_TARGET = 3;
  private static final int REPORT_LUNS = 0xa0;
  private static final int INQUIRY = 0x12;
  private static final int FUNCTION_COMPLETE = 0;
  private static final int FUNCTION_REJECTED = 11;
  private static final int BAD_TARGET_CONTROL = 3;

  private final TreeMap<Integer, ScsiDisk> units = new TreeMap<>();
  private final Condition wake = lock().newCondition();
  private final Condition changed = lock().newCondition();
  private Optional<Thread> worker = Optional.empty();
  private boolean busy;
  private boolean closing;
  private long pending;
  private volatile int generation;
  private int senseSize = SENSE_DEFAULT;
  private int cdbSize = CDB_DEFAULT;

  /**
   * @param queues request queues, 1 to {@value #MAX_QUEUES}
   */
  public VirtioScsi(String id, VirtioHost host, int queues) throws DeviceException {
    super("virtio-scsi-device", id, host, DEVICE_ID, sizes(queues));
  }

  private static int[] sizes(int queues) throws DeviceException {
    if (queues < 1 || queues > MAX_QUEUES) {
      throw new DeviceException("num_queues must be 1 to " + MAX_QUEUES + ", not " + queues);
    }
    int[] sizes = new int[FIXED_QUEUES + queues];
    Arrays.fill(sizes, QUEUE_SIZE);
    return sizes;
  }

  private static int place(int target, int lun) {
    return target << 14 | lun;
  }

  @Override
  public void plug(ScsiDisk unit, int target, int lun) throws DeviceException {
    lock().lock();
    try {
      int chosen = target;
      for (int t = 0; chosen == ANY && t < TARGETS; t++) {
        chosen = units.containsKey(place(t, lun)) ? ANY : t;
      }
      if (chosen < 0 || chosen >= TARGETS) {
        throw new DeviceException("bad scsi device id: " + (target == ANY ? "no target is free" : target));
      }
      if (lun < 0 || lun > MAX_LUN) {
        throw new DeviceException("bad scsi device lun: " + lun);
      }
      if (units.putIfAbsent(place(chosen, lun), unit) != null) {
        throw new DeviceException("lun already used by another device: target " + chosen + ", lun " + lun);
      }
    } finally {
      lock().unlock();
    }
  }

  @Override
  protected long deviceFeatures() {
    return F_INOUT;
  }

  @Override
  protected byte[] configSpace() {
    ByteBuffer space = ByteBuffer.allocate(CONFIG_SIZE).order(ByteOrder.LITTLE_ENDIAN);
    space.putInt(queueCount() - FIXED_QUEUES).putInt(QUEUE_SIZE - 2).putInt(0xffff).putInt(128).putInt(16);
    space.putInt(senseSize).putInt(cdbSize).putShort((short) 0).putShort((short) (TARGETS - 1)).putInt(MAX_LUN);
    return space.array();
  }

  @Override
  protected void configWritten(int offset, int width, long value) {
    boolean fits = width == 4 && value >= 0 && value <= MOST_SIZE;
    if (offset == CONFIG_SENSE && fits) {
      senseSize = (int) value;
    } else if (offset == CONFIG_CDB && fits && value >= 6) {
      cdbSize = (int) value;
    } else {
      guestError("write of " + width + " bytes to configuration offset " + offset);
    }
  }

  @Override
  protected void deviceReset() {
    generation++;
    pending = 0;
    senseSize = SENSE_DEFAULT;
    cdbSize = CDB_DEFAULT;
    units.values().forEach(ScsiDisk::reset);
  }

  @Override
  protected void queueNotified(Virtqueue queue) {
    if (closing || queue.index() == 1) {
      return;
    }
    pending |= 1L << queue.index();
    if (host().clock().isInstructionTime()) {
      drain(true);
      return;
    }
    if (worker.isEmpty()) {
      worker = Optional.of(Thread.ofPlatform().daemon().name("ascus-scsi-" + id()).start(this::work));
    }
    wake.signal();
  }

  private void work() {
    lock().lock();
    try {
      while (true) {
        while (pending == 0 && !closing) {
          wake.awaitUninterruptibly();
        }
        if (pending == 0) {
          return;
        }
        busy = true;
        drain(false);
        busy = false;
        changed.signalAll();
      }
    } finally {
      lock().unlock();
    }
  }

  /** Runs requests until no queue has any. Called with the lock held; gives it up meanwhile unless {@code inline}. */
  private void drain(boolean inline) {
    while (pending != 0) {
      Virtqueue queue = queue(Long.numberOfTrailingZeros(pending));
      try {
        Optional<VirtqueueElement> element = live() ? queue.pop() : Optional.empty();
        if (element.isEmpty()) {
          pending &= ~(1L << queue.index());
        } else if (queue.index() == 0) {
          control(queue, element.get());
        } else {
          request(queue, element.get(), inline);
        }
      } catch (VirtqueueException e) {
        fail(queue, e.getMessage());
      } catch (RuntimeException e) {
        // A defect of this device: the guest sees a broken host, and whoever waits for the worker goes on.
        fail(queue, "internal error: " + e);
      }
    }
  }

  private void complete(Virtqueue queue, VirtqueueElement element, long written) throws VirtqueueException {
    queue.push(element, written);
    publish(queue);
  }

  /** Task management completes at once, since commands run one after the other; there are no notifications. */
  private void control(Virtqueue queue, VirtqueueElement element) throws VirtqueueException {
    byte[] head = element.readable().toBytes(0, 24);
    if (head.length < 4) {
      throw new VirtqueueException("control request of " + head.length + " bytes");
    }
    ByteBuffer b = ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN);
    byte[] answer;
    if (b.getInt(0) == 0 && head.length == 24) {
      answer = new byte[] {(byte) manage(b.getInt(4), Arrays.copyOfRange(head, 8, 16))};
    } else {
      answer = new byte[] {0, 0, 0, 0, FUNCTION_COMPLETE};
    }
    complete(queue, element, element.writable().write(0, answer, 0, answer.length));
  }

  private int manage(int function, byte[] lun) {
    Optional<ScsiDisk> unit = unit(lun);
    if (unit.isEmpty()) {
      return BAD_TARGET_CONTROL;
    }
    return switch (function) {
      case 0, 1, 2, 3, 6, 7 -> FUNCTION_COMPLETE;
      case 4, 5 -> {
        unit.get().reset();
        yield FUNCTION_COMPLETE;
      }
      default -> FUNCTION_REJECTED;
    };
  }

  private static int target(byte[] lun) {
    return lun[1] & 0xff;
  }

  private static int number(byte[] lun) {
    return (lun[2] & 0x3f) << 8 | lun[3] & 0xff;
  }

  private Optional<ScsiDisk> unit(byte[] lun) {
    return lun[0] != 1 ? Optional.empty() : Optional.ofNullable(units.get(place(target(lun), number(lun))));
  }

  private boolean hasTarget(byte[] lun) {
    Integer at = lun[0] == 1 ? units.ceilingKey(place(target(lun), 0)) : null;
    return at != null && at >> 14 == target(lun);
  }

  /** The buffers of a request, as long as no reset has happened since it was taken. */
  private final class Buffers implements ScsiData {
    private final VirtqueueElement element;
    private final int started = generation;
    private final int head = HEADER + cdbSize;
    private final int answer = RESPONSE + senseSize;

    Buffers(VirtqueueElement element) {
      this.element = element;
    }

    @Override
    public long inSize() {
      return element.writable().size() - answer;
    }

    @Override
    public long outSize() {
      return element.readable().size() - head;
    }

    @Override
    public boolean toInitiator(long offset, byte[] data, int start, int length) {
      lock().lock();
      try {
        if (generation != started) {
          return false;
        }
        element.writable().write(answer + offset, data, start, length);
        return true;
      } finally {
        lock().unlock();
      }
    }

    @Override
    public boolean fromInitiator(long offset, byte[] data, int start, int length) {
      return generation == started && element.readable().read(head + offset, data, start, length) == length;
    }
  }

  private void request(Virtqueue queue, VirtqueueElement element, boolean inline) throws VirtqueueException {
    Buffers buffers = new Buffers(element);
    if (buffers.inSize() < 0 || buffers.outSize() < 0) {
      throw new VirtqueueException(
          "request of " + element.readable().size() + " bytes with " + element.writable().size() + " for its answer");
    }
    byte[] head = element.readable().toBytes(0, HEADER + cdbSize);
    byte[] lun = Arrays.copyOf(head, 8);
    byte[] cdb = Arrays.copyOf(Arrays.copyOfRange(head, HEADER, head.length), Math.max(cdbSize, CDB_DEFAULT));
    Optional<ScsiDisk> unit = unit(lun);
    boolean there = hasTarget(lun);
    byte[] luns = luns(target(lun));
    if (!inline) {
      lock().unlock();
    }
    byte[] response;
    try {
      response = run(unit, there, luns, cdb, buffers);
    } finally {
      if (!inline) {
        lock().lock();
      }
    }
    if (generation == buffers.started) {
      element.writable().write(0, response, 0, response.length);
      complete(queue, element, element.writable().size());
    }
  }

  private byte[] run(Optional<ScsiDisk> unit, boolean there, byte[] luns, byte[] cdb, Buffers buffers) {
    ByteBuffer response = ByteBuffer.allocate(buffers.answer).order(ByteOrder.LITTLE_ENDIAN);
    if (!there) {
      return response.put(11, (byte) BAD_TARGET).array();
    }
    long wanted = Math.max(buffers.inSize(), buffers.outSize());
    try {
      long moved = execute(unit, luns, cdb, buffers);
      response.putInt(4, (int) Math.min(Math.max(wanted - moved, 0), Integer.MAX_VALUE));
    } catch (SenseException e) {
      byte[] sense = e.toBytes();
      int count = Math.min(sense.length, buffers.answer - RESPONSE);
      response.putInt(0, count).putInt(4, (int) Math.min(wanted, Integer.MAX_VALUE));
      response.put(10, (byte) CHECK_CONDITION).put(RESPONSE, sense, 0, count);
    }
    return response.array();
  }

  private static long execute(Optional<ScsiDisk> unit, byte[] luns, byte[] cdb, Buffers buffers)
      throws SenseException {
    int code = cdb[0] & 0xff;
    if (code == REPORT_LUNS) {
      int most = ByteBuffer.wrap(cdb).getInt(6) & Integer.MAX_VALUE;
      int count = (int) Math.min(Math.min(most, luns.length), buffers.inSize());
      buffers.toInitiator(0, luns, 0, count);
      return count;
    }
    if (unit.isPresent()) {
      return unit.get().execute(cdb, buffers);
    }
    if (code != INQUIRY) {
      throw SenseException.NO_SUCH_UNIT;
    }
    // Of a unit that is not there: no device of a type that nobody knows.
    byte[] nobody = new byte[36];
    nobody[0] = 0x7f;
    nobody[4] = 31;
    int count = (int) Math.min(Math.min(nobody.length, (cdb[3] & 0xff) << 8 | cdb[4] & 0xff), buffers.inSize());
    buffers.toInitiator(0, nobody, 0, count);
    return count;
  }

  /** The answer to REPORT LUNS (SPC-4, section 6.33). */
  private byte[] luns(int target) {
    var numbers = units.subMap(place(target, 0), place(target + 1, 0)).keySet();
    ByteBuffer b = ByteBuffer.allocate(8 + 8 * numbers.size()).putInt(8 * numbers.size()).putInt(0);
    for (int at : numbers) {
      int lun = at & MAX_LUN;
      b.putShort((short) (lun < 256 ? lun : 0x4000 | lun)).putShort((short) 0).putInt(0);
    }
    return b.array();
  }

  /** Waits until every request that the driver announced is done. */
  @Override
  public void quiesce() {
    lock().lock();
    try {
      while (worker.isPresent() && (busy || pending != 0)) {
        changed.awaitUninterruptibly();
      }
    } finally {
      lock().unlock();
    }
  }

  /** Finishes what is in flight and makes it durable. */
  @Override
  public void close() {
    quiesce();
    lock().lock();
    try {
      closing = true;
      wake.signal();
    } finally {
      lock().unlock();
    }
    for (ScsiDisk unit : units.values()) {
      try {
        unit.node().flush();
      } catch (BlockException e) {
        guestError(e.getMessage());
      }
    }
  }

  @Override
  public Map<String, String> properties() {
    return Map.of("num_queues", Integer.toString(queueCount() - FIXED_QUEUES));
  }

  @Override
  protected void saveDevice(StateWriter out) {
    out.putLongs("sizes", senseSize, cdbSize);
  }

  @Override
  protected void loadDevice(StateReader in, int version) throws StateException {
    long[] sizes = in.getLongs("sizes", 2);
    if (sizes[0] < 0 || sizes[0] > MOST_SIZE || sizes[1] < 6 || sizes[1] > MOST_SIZE) {
      throw new StateException("device " + id() + ": sizes of sense data and command");
    }
    senseSize = (int) sizes[0];
    cdbSize = (int) sizes[1];
  }
}
