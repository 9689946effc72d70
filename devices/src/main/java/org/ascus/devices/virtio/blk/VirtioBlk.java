package org.ascus.devices.virtio.blk;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.virtio.VirtioDevice;
import org.ascus.devices.virtio.VirtioHost;
import org.ascus.devices.virtio.queue.Virtqueue;
import org.ascus.devices.virtio.queue.VirtqueueElement;
import org.ascus.devices.virtio.queue.VirtqueueException;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;
import org.ascus.machine.trace.Log;

/**
 * The virtio block device (VIRTIO 1.2, section 5.2).
 *
 * <p>One worker thread takes requests off the queues, in order, runs them on the block node without the device's lock
 * and completes them under it. Reads and writes that continue one another become one request to the node. When time
 * goes by instruction count, requests run at once on the thread that notifies, so that a run can be repeated exactly.
 *
 * <p>Order of what a reset leaves in flight: writes that have begun are finished before any later request begins; the
 * others never happen; guest memory is not touched any more.
 */
public final class VirtioBlk extends VirtioDevice {
  private static final int DEVICE_ID = 2;

  private static final long F_SEG_MAX = 1L << 2;
  private static final long F_GEOMETRY = 1L << 4;
  private static final long F_RO = 1L << 5;
  private static final long F_BLK_SIZE = 1L << 6;
  private static final long F_FLUSH = 1L << 9;
  private static final long F_TOPOLOGY = 1L << 10;
  private static final long F_CONFIG_WCE = 1L << 11;
  private static final long F_MQ = 1L << 12;
  private static final long F_DISCARD = 1L << 13;
  private static final long F_WRITE_ZEROES = 1L << 14;

  private static final int CONFIG_SIZE = 60;
  private static final int CONFIG_WRITEBACK = 32;
  private static final int MAX_RANGE_SECTORS = 0x3fffff;
  private static final int FLAG_UNMAP = 1;
  private static final int BATCH = 64;

  private final BlockNode node;
  private final BlkOptions options;
  private final long capacity;
  private final Condition wake = lock().newCondition();
  private final Condition changed = lock().newCondition();
  private final BlkTransfer transfer;
  private Optional<Thread> worker = Optional.empty();
  private boolean busy;
  private boolean closing;
  private long pending;
  private volatile int generation;
  private volatile boolean writeback = true;

  /**
   * @param node the disk; stays the caller's, but is flushed when the device is closed
   */
  public VirtioBlk(String id, VirtioHost host, BlockNode node, BlkOptions options) throws DeviceException {
    super("virtio-blk-device", id, host, DEVICE_ID, queueSizes(options.check()));
    this.node = node;
    this.options = options;
    this.capacity = node.size() / BlkRequest.SECTOR;
    this.transfer = new BlkTransfer(node, new Owner());
  }

  private static int[] queueSizes(BlkOptions options) {
    int[] sizes = new int[options.queues()];
    Arrays.fill(sizes, options.queueSize());
    return sizes;
  }

  @Override
  protected long deviceFeatures() {
    return F_SEG_MAX
        | F_GEOMETRY
        | F_BLK_SIZE
        | F_FLUSH
        | F_TOPOLOGY
        | (node.readOnly() ? F_RO : 0)
        | (options.configWce() ? F_CONFIG_WCE : 0)
        | (options.queues() > 1 ? F_MQ : 0)
        | (options.discard() && !node.readOnly() ? F_DISCARD : 0)
        | (options.writeZeroes() && !node.readOnly() ? F_WRITE_ZEROES : 0);
  }

  @Override
  protected byte[] configSpace() {
    ByteBuffer space = ByteBuffer.allocate(CONFIG_SIZE).order(ByteOrder.LITTLE_ENDIAN);
    int exponent = Integer.numberOfTrailingZeros(options.physicalBlockSize() / options.logicalBlockSize());
    int blockSectors = options.logicalBlockSize() / BlkRequest.SECTOR;
    space.putLong(capacity);
    space.putInt(0);
    space.putInt(options.queueSize() - 2);
    space.putShort((short) Math.clamp(capacity / (16 * 63), 2, 16383)).put((byte) 16).put((byte) 63);
    space.putInt(options.logicalBlockSize());
    space.put((byte) exponent).put((byte) 0).putShort((short) 0).putInt(0);
    space.put((byte) (writeback ? 1 : 0)).put((byte) 0).putShort((short) options.queues());
    space.putInt(MAX_RANGE_SECTORS).putInt(1).putInt(blockSectors);
    space.putInt(MAX_RANGE_SECTORS).putInt(1).put((byte) 1);
    return space.array();
  }

  @Override
  protected void configWritten(int offset, int width, long value) {
    if (offset == CONFIG_WRITEBACK && width == 1 && options.configWce()) {
      writeback = (value & 1) != 0;
    } else {
      guestError("write of " + width + " bytes to configuration offset " + offset);
    }
  }

  @Override
  protected void driverReady() {
    if (!negotiated(F_CONFIG_WCE)) {
      // A driver that cannot flush gets a disk without a write cache.
      writeback = negotiated(F_FLUSH);
    }
  }

  @Override
  protected void deviceReset() {
    generation++;
    pending = 0;
    writeback = true;
  }

  @Override
  protected void queueNotified(Virtqueue queue) {
    if (closing) {
      return;
    }
    pending |= 1L << queue.index();
    if (host().clock().isInstructionTime()) {
      drain(true);
      return;
    }
    if (worker.isEmpty()) {
      worker = Optional.of(Thread.ofPlatform().daemon().name("ascus-blk-" + id()).start(this::work));
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
        List<BlkRequest> batch = live() ? take(queue) : List.of();
        if (batch.isEmpty()) {
          pending &= ~(1L << queue.index());
          continue;
        }
        int started = generation;
        if (inline) {
          run(batch, started);
        } else {
          lock().unlock();
          try {
            run(batch, started);
          } finally {
            lock().lock();
          }
        }
      } catch (VirtqueueException e) {
        fail(queue, e.getMessage());
      } catch (RuntimeException e) {
        // A defect of this device: the guest sees a broken disk, and whoever waits for the worker goes on.
        fail(queue, "internal error: " + e);
      }
    }
  }

  /** The next requests of {@code queue}; while there are any, the driver need not notify. */
  private List<BlkRequest> take(Virtqueue queue) throws VirtqueueException {
    List<BlkRequest> batch = new ArrayList<>();
    queue.setNotifications(false);
    while (batch.size() < BATCH) {
      Optional<VirtqueueElement> element = queue.pop();
      if (element.isPresent()) {
        batch.add(BlkRequest.parse(queue, element.get()));
        continue;
      }
      if (!batch.isEmpty()) {
        break;
      }
      queue.setNotifications(true);
      if (queue.isEmpty()) {
        break;
      }
      queue.setNotifications(false);
    }
    return batch;
  }

  private boolean current(int started) {
    return generation == started;
  }

  private void run(List<BlkRequest> batch, int started) {
    int at = 0;
    while (at < batch.size() && current(started)) {
      BlkRequest first = batch.get(at);
      int end = at + 1;
      if (first.transfers()) {
        int status = check(first);
        if (status == BlkRequest.OK) {
          long bytes = first.length();
          while (end < batch.size() && batch.get(end - 1).continuedBy(batch.get(end))) {
            bytes += batch.get(end).length();
            if (bytes > BlkTransfer.BOUNCE || check(batch.get(end)) != BlkRequest.OK) {
              break;
            }
            end++;
          }
          transfer.run(batch.subList(at, end), started, !writeback);
        } else {
          complete(List.of(first), status, started);
        }
      } else {
        complete(List.of(first), other(first, started), started);
      }
      at = end;
    }
  }

  private int check(BlkRequest request) {
    long length = request.length();
    long sectors = length / BlkRequest.SECTOR;
    boolean aligned = length % options.logicalBlockSize() == 0
        && request.sector() % (options.logicalBlockSize() / BlkRequest.SECTOR) == 0;
    if (!aligned || request.sector() < 0 || request.sector() > capacity - sectors) {
      guestError("request of " + length + " bytes at sector " + Long.toUnsignedString(request.sector()));
      return BlkRequest.IOERR;
    }
    return request.type() == BlkRequest.OUT && node.readOnly() ? BlkRequest.IOERR : BlkRequest.OK;
  }

  private int other(BlkRequest request, int started) {
    try {
      return switch (request.type()) {
        case BlkRequest.FLUSH -> {
          node.flush();
          yield BlkRequest.OK;
        }
        case BlkRequest.GET_ID -> id(request, started);
        case BlkRequest.DISCARD -> options.discard() ? ranges(request) : BlkRequest.UNSUPP;
        case BlkRequest.WRITE_ZEROES -> options.writeZeroes() ? ranges(request) : BlkRequest.UNSUPP;
        default -> BlkRequest.UNSUPP;
      };
    } catch (BlockException e) {
      hostError(e);
      return BlkRequest.IOERR;
    }
  }

  private int id(BlkRequest request, int started) {
    byte[] id = Arrays.copyOf(options.serial().getBytes(StandardCharsets.UTF_8), BlkOptions.ID_BYTES);
    int count = (int) Math.min(id.length, request.length());
    ifCurrent(started, () -> request.element().writable().write(0, id, 0, count));
    return BlkRequest.OK;
  }

  private void ifCurrent(int started, Runnable body) {
    lock().lock();
    try {
      if (current(started)) {
        body.run();
      }
    } finally {
      lock().unlock();
    }
  }

  private int ranges(BlkRequest request) throws BlockException {
    long length = request.element().readable().size() - BlkRequest.HEADER;
    if (node.readOnly() || length != BlkRequest.RANGE) {
      return node.readOnly() ? BlkRequest.IOERR : BlkRequest.UNSUPP;
    }
    byte[] bytes = request.element().readable().toBytes(BlkRequest.HEADER, BlkRequest.RANGE);
    ByteBuffer range = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    long sector = range.getLong();
    long sectors = range.getInt() & 0xffffffffL;
    int flags = range.getInt();
    boolean zero = request.type() == BlkRequest.WRITE_ZEROES;
    if ((flags & ~(zero ? FLAG_UNMAP : 0)) != 0) {
      return BlkRequest.UNSUPP;
    }
    long at = sector * BlkRequest.SECTOR;
    if (sectors > MAX_RANGE_SECTORS || sector < 0 || sector > capacity - sectors) {
      return BlkRequest.IOERR;
    }
    if (zero) {
      node.writeZeroes(at, sectors * BlkRequest.SECTOR, (flags & FLAG_UNMAP) != 0);
      if (!writeback) {
        node.flush();
      }
    } else {
      node.discard(at, sectors * BlkRequest.SECTOR);
    }
    return BlkRequest.OK;
  }

  /** Gives requests back with {@code status}, unless the device was reset since they were taken. */
  private void complete(List<BlkRequest> requests, int status, int started) {
    ifCurrent(
        started,
        () -> {
          Virtqueue queue = requests.getFirst().queue();
          try {
            for (BlkRequest request : requests) {
              request.writeStatus(status);
              queue.push(request.element(), request.written());
            }
            publish(queue);
          } catch (VirtqueueException e) {
            fail(queue, e.getMessage());
          }
        });
  }

  private final class Owner implements BlkTransfer.Owner {
    @Override
    public boolean current(int generation) {
      return VirtioBlk.this.current(generation);
    }

    @Override
    public void ifCurrent(int generation, Runnable body) {
      VirtioBlk.this.ifCurrent(generation, body);
    }

    @Override
    public void complete(List<BlkRequest> requests, int status, int generation) {
      VirtioBlk.this.complete(requests, status, generation);
    }
  }

  private void hostError(BlockException e) {
    host().log().log(Log.Category.GUEST_ERRORS, () -> type() + " " + id() + ": " + e.getMessage());
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
    try {
      node.flush();
    } catch (BlockException e) {
      hostError(e);
    }
  }

  @Override
  public Map<String, String> properties() {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("drive", node.name());
    all.put("serial", options.serial());
    all.put("logical_block_size", Integer.toString(options.logicalBlockSize()));
    all.put("physical_block_size", Integer.toString(options.physicalBlockSize()));
    all.put("num-queues", Integer.toString(options.queues()));
    all.put("queue-size", Integer.toString(options.queueSize()));
    all.put("config-wce", Boolean.toString(options.configWce()));
    all.put("discard", Boolean.toString(options.discard()));
    all.put("write-zeroes", Boolean.toString(options.writeZeroes()));
    return all;
  }

  @Override
  protected void saveDevice(StateWriter out) {
    out.putBoolean("writeback", writeback);
    out.putLong("capacity", capacity);
  }

  @Override
  protected void loadDevice(StateReader in, int version) throws StateException {
    if (in.getLong("capacity") != capacity) {
      throw new StateException(
          "device " + id() + " has " + capacity + " sectors, the state is for " + in.getLong("capacity"));
    }
    writeback = in.getBoolean("writeback");
  }
}
