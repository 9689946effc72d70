package org.ascus.devices.virtio.blk;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.BlockSizes;
import org.ascus.devices.block.Drive;
import org.ascus.devices.block.IoThread;
import org.ascus.devices.virtio.DiskTransfer;
import org.ascus.devices.virtio.RequestWorkers;
import org.ascus.devices.virtio.VirtioDevice;
import org.ascus.devices.virtio.VirtioHost;
import org.ascus.devices.virtio.queue.ScatterList;
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
 * <p>Requests run on I/O threads without the device's lock, several at once, and complete under it in any order. Reads
 * and writes that continue one another become one request to the node. When time goes by instruction count, requests
 * run at once on the thread that notifies, so that a run can be repeated exactly.
 *
 * <p>A flush covers what was completed before it was made available, as the specification has it; so it waits for
 * nothing. A reset waits for the requests that have begun, which may use guest memory; the others never happen.
 */
public final class VirtioBlk extends VirtioDevice implements Drive.User {
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

  /** In the place of a status: the request is to be tried again, the driver learns nothing. */
  private static final int AGAIN = -1;

  /** Bytes of requests that become one, at most. */
  private static final int MAX_MERGED = 1 << 20;

  private final BlockNode node;
  private final BlkOptions options;
  private volatile long capacity;
  private final RequestWorkers workers;
  private final ArrayDeque<BlkRequest> taken = new ArrayDeque<>();
  private long pending;
  private int lastQueue;
  private int generation;
  private volatile boolean writeback;

  /**
   * @param node the disk; stays the caller's, but is flushed when the device is closed
   * @param threads where requests wait for the disk
   */
  public VirtioBlk(String id, VirtioHost host, BlockNode node, BlkOptions options, IoThread threads)
      throws DeviceException {
    super("virtio-blk-device", id, host, DEVICE_ID, queueSizes(options.check()));
    this.node = node;
    this.options = options;
    this.capacity = node.size() / BlkRequest.SECTOR;
    this.writeback = !node.writeThrough();
    this.workers = new RequestWorkers(lock(), threads, host.ioError(), new Requests());
  }

  private static int[] queueSizes(BlkOptions options) {
    int[] sizes = new int[options.queues()];
    Arrays.fill(sizes, options.queueSize());
    return sizes;
  }

  @Override
  public void resized() {
    confined(
            () -> {
              if (!workers.isClosed()) {
                capacity = node.size() / BlkRequest.SECTOR;
                configChanged();
              }
            })
        .run();
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
    BlockSizes sizes = options.sizes();
    int exponent = sizes.physicalExponent();
    int blockSectors = sizes.logical() / BlkRequest.SECTOR;
    int discardSectors = sizes.discard() == 0 ? blockSectors : (int) (sizes.discard() / BlkRequest.SECTOR);
    space.putLong(capacity);
    space.putInt(0);
    space.putInt(options.queueSize() - 2);
    space.putShort((short) Math.clamp(capacity / (16 * 63), 2, 16383)).put((byte) 16).put((byte) 63);
    space.putInt(sizes.logical());
    space.put((byte) exponent).put((byte) 0);
    space.putShort((short) sizes.blocks(sizes.least()));
    space.putInt((int) sizes.blocks(sizes.best()));
    space.put((byte) (writeback ? 1 : 0)).put((byte) 0).putShort((short) options.queues());
    space.putInt(MAX_RANGE_SECTORS).putInt(1).putInt(discardSectors);
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
      writeback = negotiated(F_FLUSH) && !node.writeThrough();
    }
  }

  @Override
  protected void deviceReset() {
    generation++;
    pending = 0;
    taken.clear();
    workers.awaitRunning();
    writeback = !node.writeThrough();
  }

  @Override
  protected void queueNotified(Virtqueue queue) {
    if (workers.isClosed()) {
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
      return !taken.isEmpty();
    }
  }

  /** Takes requests off the queues if there are none left that were taken before. */
  private void fill() {
    while (taken.isEmpty() && pending != 0) {
      long later = pending & -2L << lastQueue;
      lastQueue = Long.numberOfTrailingZeros(later != 0 ? later : pending);
      Virtqueue queue = queue(lastQueue);
      try {
        if (live()) {
          take(queue);
        }
      } catch (VirtqueueException e) {
        fail(queue, e.getMessage());
        taken.clear();
      }
      if (taken.isEmpty()) {
        pending &= ~(1L << lastQueue);
      }
    }
  }

  /** The next requests of {@code queue}; while there are any, the driver need not notify. */
  private void take(Virtqueue queue) throws VirtqueueException {
    queue.setNotifications(false);
    while (taken.size() < BATCH) {
      Optional<VirtqueueElement> element = queue.pop();
      if (element.isPresent()) {
        taken.add(BlkRequest.parse(queue, element.get()));
        continue;
      }
      if (!taken.isEmpty()) {
        return;
      }
      queue.setNotifications(true);
      if (queue.isEmpty()) {
        return;
      }
      queue.setNotifications(false);
    }
  }

  /** The next request, together with those that continue it. */
  private Optional<RequestWorkers.Job> next() {
    fill();
    if (taken.isEmpty()) {
      return Optional.empty();
    }
    BlkRequest first = taken.poll();
    List<BlkRequest> group = new ArrayList<>(List.of(first));
    long bytes = first.length();
    while (first.transfers() && !taken.isEmpty() && group.getLast().continuedBy(taken.peek())) {
      bytes += taken.peek().length();
      if (bytes > MAX_MERGED) {
        break;
      }
      group.add(taken.poll());
    }
    return Optional.of(new Job(group));
  }

  /** Requests of one kind that continue one another, or a single one. */
  private final class Job implements RequestWorkers.Job {
    private final List<BlkRequest> requests;
    private final int started = generation;
    private final int[] status;

    Job(List<BlkRequest> requests) {
      this.requests = requests;
      this.status = new int[requests.size()];
    }

    @Override
    public boolean slow() {
      return !requests.getFirst().transfers();
    }

    @Override
    public void run() {
      try {
        if (requests.size() == 1 || !runAsOne()) {
          for (int i = 0; i < status.length; i++) {
            BlkRequest request = requests.get(i);
            status[i] = request.transfers() ? transfer(List.of(request)) : other(request);
          }
        }
      } catch (RuntimeException e) {
        // A defect of a block driver: the guest sees a broken disk.
        host().log().log(Log.Category.GUEST_ERRORS, () -> type() + " " + id() + ": internal error: " + e);
        Arrays.fill(status, BlkRequest.IOERR);
      }
    }

    /** False if any of them fails, and so that only those fail that must, they are to be done one by one. */
    private boolean runAsOne() {
      for (BlkRequest request : requests) {
        if (check(request) != BlkRequest.OK) {
          return false;
        }
      }
      return transfer(requests) == BlkRequest.OK;
    }

    @Override
    public boolean again() {
      return generation == started && Arrays.stream(status).anyMatch(s -> s == AGAIN);
    }

    @Override
    public void complete() {
      if (generation != started) {
        return;
      }
      Virtqueue queue = requests.getFirst().queue();
      try {
        for (int i = 0; i < status.length; i++) {
          requests.get(i).writeStatus(status[i] == AGAIN ? BlkRequest.IOERR : status[i]);
          queue.push(requests.get(i).element(), requests.get(i).written());
        }
        publish(queue);
      } catch (VirtqueueException e) {
        fail(queue, e.getMessage());
      }
    }
  }

  private int transfer(List<BlkRequest> requests) {
    BlkRequest first = requests.getFirst();
    int status = check(first);
    if (status != BlkRequest.OK) {
      return status;
    }
    ScatterList data = requests.size() == 1
        ? first.data() : ScatterList.join(requests.stream().map(BlkRequest::data).toList());
    long at = first.sector() * BlkRequest.SECTOR;
    try {
      if (first.type() == BlkRequest.IN) {
        DiskTransfer.read(node, at, data);
      } else {
        DiskTransfer.write(node, at, data);
        if (!writeback && !node.writeThrough()) {
          node.flush();
        }
      }
      return BlkRequest.OK;
    } catch (BlockException e) {
      return failed(first.type() == BlkRequest.IN, e);
    }
  }

  private int failed(boolean read, BlockException e) {
    hostError(e);
    return switch (options.errors().of(read, e)) {
      case REPORT -> BlkRequest.IOERR;
      case IGNORE -> BlkRequest.OK;
      case STOP -> AGAIN;
    };
  }

  private int check(BlkRequest request) {
    long length = request.length();
    long sectors = length / BlkRequest.SECTOR;
    boolean aligned = length % options.sizes().logical() == 0
        && request.sector() % (options.sizes().logical() / BlkRequest.SECTOR) == 0;
    if (!aligned || request.sector() < 0 || request.sector() > capacity - sectors) {
      guestError("request of " + length + " bytes at sector " + Long.toUnsignedString(request.sector()));
      return BlkRequest.IOERR;
    }
    return request.type() == BlkRequest.OUT && node.readOnly() ? BlkRequest.IOERR : BlkRequest.OK;
  }

  private int other(BlkRequest request) {
    try {
      return switch (request.type()) {
        case BlkRequest.FLUSH -> {
          node.flush();
          yield BlkRequest.OK;
        }
        case BlkRequest.GET_ID -> id(request);
        case BlkRequest.DISCARD -> options.discard() ? ranges(request) : BlkRequest.UNSUPP;
        case BlkRequest.WRITE_ZEROES -> options.writeZeroes() ? ranges(request) : BlkRequest.UNSUPP;
        default -> BlkRequest.UNSUPP;
      };
    } catch (BlockException e) {
      return failed(false, e);
    }
  }

  private int id(BlkRequest request) {
    byte[] id = Arrays.copyOf(options.serial().getBytes(StandardCharsets.UTF_8), BlkOptions.ID_BYTES);
    request.element().writable().write(0, id, 0, (int) Math.min(id.length, request.length()));
    return BlkRequest.OK;
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
      if (!writeback && !node.writeThrough()) {
        node.flush();
      }
    } else {
      node.discard(at, sectors * BlkRequest.SECTOR);
    }
    return BlkRequest.OK;
  }

  private void hostError(BlockException e) {
    host().log().log(Log.Category.GUEST_ERRORS, () -> type() + " " + id() + ": " + e.getMessage());
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
    workers.close(List.of(node), this::hostError);
  }

  @Override
  public Map<String, String> properties() {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("drive", node.name());
    all.put("serial", options.serial());
    all.put("logical_block_size", Integer.toString(options.sizes().logical()));
    all.put("physical_block_size", Integer.toString(options.sizes().physical()));
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
