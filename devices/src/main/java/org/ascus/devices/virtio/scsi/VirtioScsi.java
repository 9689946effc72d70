package org.ascus.devices.virtio.scsi;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.IoThread;
import org.ascus.devices.scsi.ScsiData;
import org.ascus.devices.scsi.ScsiDisk;
import org.ascus.devices.scsi.SenseException;
import org.ascus.devices.virtio.DiskTransfer;
import org.ascus.devices.virtio.RequestWorkers;
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
 * The virtio SCSI host (VIRTIO 1.2, section 5.6): a control queue, an event queue, on which units that change say so,
 * and request queues. A request is a header (lun 8 bytes, tag 64, attribute, priority, reference, command) with data to
 * the device behind it, and its answer (sense length 32, residual 32, qualifier 16, status 8, response 8, sense) with
 * data to the driver behind it.
 *
 * <p>Commands run on I/O threads without the device's lock, several at once, and complete under it in any order; who
 * wants an order waits for completions, which the simple task attribute means. When time goes by instruction count they
 * run at once on the thread that notifies. A reset waits for what has begun and gives up the rest.
 */
public final class VirtioScsi extends VirtioDevice implements ScsiBus {
  /** Most request queues. */
  public static final int MAX_QUEUES = 16;

  private static final int DEVICE_ID = 8;
  private static final int QUEUE_SIZE = 256;
  private static final int FIXED_QUEUES = 2;
  private static final int EVENT_QUEUE = 1;
  private static final long F_INOUT = 1;

  private static final long F_HOTPLUG = 1 << 1;

  private static final long F_CHANGE = 1 << 2;
  private static final int EVENT_TRANSPORT_RESET = 1;
  private static final int EVENT_PARAMETERS_CHANGED = 3;
  private static final int RESCAN = 1;
  private static final int REMOVED = 2;
  private static final int EVENTS_MISSED = 1 << 31;
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
  private static final int FAILURE = 9;
  private static final int REPORT_LUNS = 0xa0;
  private static final int INQUIRY = 0x12;
  private static final int FUNCTION_COMPLETE = 0;
  private static final int FUNCTION_REJECTED = 11;
  private static final int BAD_TARGET_CONTROL = 3;

  private final TreeMap<Integer, ScsiDisk> units = new TreeMap<>();
  private final RequestWorkers workers;
  private Optional<Job> taken = Optional.empty();
  private boolean missed;
  private long pending;
  private int lastQueue;
  private int generation;
  private int senseSize = SENSE_DEFAULT;
  private int cdbSize = CDB_DEFAULT;

  /**
   * @param queues request queues, 1 to {@value #MAX_QUEUES}
   * @param threads where commands wait for the disks
   */
  public VirtioScsi(String id, VirtioHost host, int queues, IoThread threads) throws DeviceException {
    super("virtio-scsi-device", id, host, DEVICE_ID, sizes(queues));
    this.workers = new RequestWorkers(lock(), threads, host.ioError(), new Requests());
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
      int at = chosen;
      unit.onNotice(
          what -> confined(() -> tell(F_CHANGE, EVENT_PARAMETERS_CHANGED, place(at, lun), what.reason())).run());
      tell(F_HOTPLUG, EVENT_TRANSPORT_RESET, place(at, lun), RESCAN);
    } finally {
      lock().unlock();
    }
  }

  @Override
  public void unplug(ScsiDisk unit) {
    lock().lock();
    try {
      unit.unplug();
      workers.awaitBegun();
      for (int at : List.copyOf(units.keySet())) {
        if (units.get(at) == unit) {
          units.remove(at);
          tell(F_HOTPLUG, EVENT_TRANSPORT_RESET, at, REMOVED);
        }
      }
    } finally {
      lock().unlock();
    }
  }

  /**
   * An event (section 5.6.6.3), if the driver wants such and has left a buffer for it.
   *
   * @param feature that the driver has accepted if it wants it
   * @param place of the unit
   */
  private void tell(long feature, int kind, int place, int reason) {
    if (!negotiated(feature) || !live()) {
      return;
    }
    int target = place >> 14;
    int lun = place & MAX_LUN;
    Virtqueue queue = queue(EVENT_QUEUE);
    try {
      Optional<VirtqueueElement> element = queue.pop();
      if (element.isEmpty()) {
        missed = true;
        return;
      }
      ByteBuffer event = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
      event.putInt(kind | (missed ? EVENTS_MISSED : 0));
      // Linux wants numbers as REPORT LUNS gives them, not as requests have them.
      event.put((byte) 1).put((byte) target).put((byte) (lun < 256 ? 0 : lun >> 8 | 0x40)).put((byte) lun).putInt(0);
      event.putInt(reason);
      missed = false;
      complete(queue, element.get(), element.get().writable().write(0, event.array(), 0, event.capacity()));
    } catch (VirtqueueException e) {
      fail(queue, e.getMessage());
    }
  }

  @Override
  protected long deviceFeatures() {
    return F_INOUT | F_HOTPLUG | F_CHANGE;
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
    taken = Optional.empty();
    missed = false;
    workers.awaitRunning();
    senseSize = SENSE_DEFAULT;
    cdbSize = CDB_DEFAULT;
    units.values().forEach(ScsiDisk::reset);
  }

  @Override
  protected void queueNotified(Virtqueue queue) {
    if (workers.isClosed() || queue.index() == EVENT_QUEUE) {
      return;
    }
    pending |= 1L << queue.index();
    if (!host().clock().isInstructionTime()) {
      workers.wake();
      return;
    }
    Optional<RequestWorkers.Job> job = next();
    while (job.isPresent()) {
      job.get().run();
      job.get().complete();
      job = next();
    }
  }

  private final class Requests implements RequestWorkers.Source {
    @Override
    public Optional<RequestWorkers.Job> take() {
      return next();
    }

    @Override
    public boolean hasMore() {
      fill();
      return taken.isPresent();
    }
  }

  private Optional<RequestWorkers.Job> next() {
    fill();
    Optional<RequestWorkers.Job> job = taken.map(j -> j);
    taken = Optional.empty();
    return job;
  }

  /** Takes a command off a queue, unless there is one that was taken before. */
  private void fill() {
    while (taken.isEmpty() && pending != 0) {
      long later = pending & -2L << lastQueue;
      lastQueue = Long.numberOfTrailingZeros(later != 0 ? later : pending);
      Virtqueue queue = queue(lastQueue);
      try {
        Optional<VirtqueueElement> element = live() ? queue.pop() : Optional.empty();
        if (element.isEmpty()) {
          pending &= ~(1L << lastQueue);
        } else if (lastQueue == 0) {
          control(queue, element.get());
        } else {
          taken = Optional.of(new Job(queue, element.get()));
        }
      } catch (VirtqueueException e) {
        fail(queue, e.getMessage());
      }
    }
  }

  private void complete(Virtqueue queue, VirtqueueElement element, long written) throws VirtqueueException {
    queue.push(element, written);
    publish(queue);
  }

  /** Task management completes at once and ends no command, since none waits here; there are no notifications. */
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

  /** The buffers of a request. */
  private final class Buffers implements ScsiData {
    private final VirtqueueElement element;
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
    public void toInitiator(byte[] data, int length) {
      element.writable().write(answer, data, 0, length);
    }

    @Override
    public boolean fromInitiator(byte[] data, int length) {
      return element.readable().read(head, data, 0, length) == length;
    }

    @Override
    public void read(BlockNode node, long at, long length) throws BlockException {
      DiskTransfer.read(node, at, element.writable().slice(answer, length));
    }

    @Override
    public void write(BlockNode node, long at, long length) throws BlockException {
      DiskTransfer.write(node, at, element.readable().slice(head, length));
    }
  }

  private final class Job implements RequestWorkers.Job {
    private final Virtqueue queue;
    private final Buffers buffers;
    private final int started = generation;
    private final byte[] cdb;
    private final Optional<ScsiDisk> unit;
    private final boolean there;
    private final byte[] luns;
    private byte[] response = new byte[0];
    private boolean again;

    Job(Virtqueue queue, VirtqueueElement element) throws VirtqueueException {
      this.queue = queue;
      this.buffers = new Buffers(element);
      if (buffers.inSize() < 0 || buffers.outSize() < 0) {
        throw new VirtqueueException(
            "request of " + element.readable().size() + " bytes with " + element.writable().size()
                + " for its answer");
      }
      byte[] head = element.readable().toBytes(0, HEADER + cdbSize);
      byte[] lun = Arrays.copyOf(head, 8);
      this.cdb = Arrays.copyOf(Arrays.copyOfRange(head, HEADER, head.length), Math.max(cdbSize, CDB_DEFAULT));
      this.unit = unit(lun);
      this.there = hasTarget(lun);
      this.luns = luns(target(lun));
    }

    @Override
    public boolean slow() {
      return !ScsiDisk.transfers(cdb[0]);
    }

    @Override
    public void run() {
      again = false;
      try {
        response = response();
      } catch (RuntimeException e) {
        // A defect of a block driver: the guest sees a command that the host could not run.
        guestError("internal error: " + e);
        response = ByteBuffer.allocate(buffers.answer).put(11, (byte) FAILURE).array();
      }
    }

    private byte[] response() {
      ByteBuffer response = ByteBuffer.allocate(buffers.answer).order(ByteOrder.LITTLE_ENDIAN);
      if (!there) {
        return response.put(11, (byte) BAD_TARGET).array();
      }
      long wanted = Math.max(buffers.inSize(), buffers.outSize());
      try {
        long moved = execute(unit, luns, cdb, buffers);
        response.putInt(4, (int) Math.min(Math.max(wanted - moved, 0), Integer.MAX_VALUE));
      } catch (SenseException e) {
        again = e.again();
        byte[] sense = e.toBytes();
        int count = Math.min(sense.length, buffers.answer - RESPONSE);
        response.putInt(0, count).putInt(4, (int) Math.min(wanted, Integer.MAX_VALUE));
        response.put(10, (byte) CHECK_CONDITION).put(RESPONSE, sense, 0, count);
      }
      return response.array();
    }

    @Override
    public boolean again() {
      return again && generation == started;
    }

    @Override
    public void complete() {
      if (generation != started) {
        return;
      }
      VirtqueueElement element = buffers.element;
      element.writable().write(0, response, 0, response.length);
      try {
        VirtioScsi.this.complete(queue, element, element.writable().size());
      } catch (VirtqueueException e) {
        fail(queue, e.getMessage());
      }
    }
  }

  private static long execute(Optional<ScsiDisk> unit, byte[] luns, byte[] cdb, Buffers buffers)
      throws SenseException {
    int code = cdb[0] & 0xff;
    if (code == REPORT_LUNS) {
      int most = ByteBuffer.wrap(cdb).getInt(6) & Integer.MAX_VALUE;
      int count = (int) Math.min(Math.min(most, luns.length), buffers.inSize());
      buffers.toInitiator(luns, count);
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
    buffers.toInitiator(nobody, count);
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

  @Override
  protected void running() {
    workers.retry();
  }

  /** Waits until every request that the driver announced is done. */
  @Override
  public void quiesce() {
    confined(workers::awaitAll).run();
  }

  /** Finishes what is in flight and makes it durable. */
  @Override
  public void close() {
    workers.close(units.values().stream().map(ScsiDisk::node).toList(), e -> guestError(e.getMessage()));
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
