package org.ascus.devices.virtio.p9;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import org.ascus.devices.fs.FileException;
import org.ascus.devices.fs.SharedFolder;
import org.ascus.devices.fs.p9.P9Server;
import org.ascus.devices.virtio.QueueWorker;
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
 * A shared folder on virtio (include/uapi/linux/virtio_9p.h): one queue, in each buffer a request of the file protocol
 * and room for its answer. Configuration space: 16 bits of length, then the tag that the guest mounts the folder by.
 *
 * <p>Requests are done on a thread of their own, in order. A reset forgets what the driver had open, when the request
 * that is under way has ended.
 */
public final class VirtioP9 extends VirtioDevice {
  private static final int DEVICE_ID = 9;
  private static final int QUEUE_SIZE = 128;
  private static final long F_MOUNT_TAG = 1;
  private static final int MOST_TAG = 31;
  private static final int HEADER = 7;

  private final SharedFolder folder;
  private final P9Server server;
  private final byte[] tag;
  private final QueueWorker worker;
  private byte[] request = new byte[0];
  private byte[] answer = new byte[0];
  private int generation;
  private int served;
  private boolean closed;

  /**
   * @param folder what is shared; the device closes it
   * @param tag 1 to {@value #MOST_TAG} bytes
   */
  public VirtioP9(String id, VirtioHost host, SharedFolder folder, String tag) throws DeviceException {
    super("virtio-9p-device", id, host, DEVICE_ID, QUEUE_SIZE);
    this.folder = folder;
    this.tag = tag.getBytes(StandardCharsets.UTF_8);
    if (this.tag.length < 1 || this.tag.length > MOST_TAG) {
      throw new DeviceException("mount tag '" + tag + "' must have 1 to " + MOST_TAG + " bytes");
    }
    try {
      server = new P9Server(folder, text -> host.log().log(Log.Category.GUEST_ERRORS, () -> id + ": " + text));
    } catch (FileException e) {
      throw new DeviceException("shared folder " + folder.options().path() + ": " + e.getMessage(), e);
    }
    worker = new QueueWorker("ascus-9p-" + id, lock(), host.clock(), this::step);
  }

  @Override
  protected long deviceFeatures() {
    return F_MOUNT_TAG;
  }

  @Override
  protected byte[] configSpace() {
    byte[] space = new byte[2 + tag.length];
    space[0] = (byte) tag.length;
    System.arraycopy(tag, 0, space, 2, tag.length);
    return space;
  }

  @Override
  protected void deviceReset() {
    generation++;
  }

  @Override
  protected void queueNotified(Virtqueue queue) {
    worker.notify(queue.index());
  }

  private boolean step(int index, boolean inline) {
    if (closed) {
      return false;
    }
    if (served != generation) {
      served = generation;
      server.reset();
    }
    Virtqueue queue = queue(index);
    try {
      Optional<VirtqueueElement> element = live() ? queue.pop() : Optional.empty();
      element.ifPresent(e -> serve(queue, e, inline));
      return element.isPresent();
    } catch (VirtqueueException e) {
      fail(queue, e.getMessage());
      return false;
    } catch (RuntimeException e) {
      // A defect of this device: the guest sees a broken share, and whoever waits for the worker goes on.
      fail(queue, "internal error: " + e);
      return false;
    }
  }

  private void serve(Virtqueue queue, VirtqueueElement element, boolean inline) {
    int length = (int) Math.min(element.readable().size(), P9Server.MOST_MESSAGE);
    int room = (int) Math.min(element.writable().size(), P9Server.MOST_MESSAGE);
    if (length < HEADER || room < P9Server.LEAST_ANSWER) {
      fail(queue, "request of " + length + " bytes with room for " + room);
      return;
    }
    request = grown(request, length);
    answer = grown(answer, room);
    element.readable().read(0, request, 0, length);
    int started = generation;
    int size = inline ? server.handle(request, length, answer, room) : unlocked(length, room);
    if (started != generation || closed) {
      return;
    }
    element.writable().write(0, answer, 0, size);
    try {
      queue.push(element, size);
      publish(queue);
    } catch (VirtqueueException e) {
      fail(queue, e.getMessage());
    }
  }

  private int unlocked(int length, int room) {
    lock().unlock();
    try {
      return server.handle(request, length, answer, room);
    } finally {
      lock().lock();
    }
  }

  private static byte[] grown(byte[] buffer, int size) {
    return buffer.length >= size ? buffer : new byte[Math.max(size, P9Server.LEAST_BUFFER)];
  }

  @Override
  public void quiesce() {
    worker.quiesce();
  }

  @Override
  public void close() {
    worker.close();
    lock().lock();
    try {
      if (!closed) {
        closed = true;
        server.close();
        folder.close();
      }
    } finally {
      lock().unlock();
    }
  }

  @Override
  public Map<String, String> properties() {
    return Map.of("mount_tag", new String(tag, StandardCharsets.UTF_8), "path", folder.options().path().toString());
  }

  @Override
  protected void saveDevice(StateWriter out) {
    if (served != generation) {
      served = generation;
      server.reset();
    }
    server.save(out);
  }

  @Override
  protected void loadDevice(StateReader in, int version) throws StateException {
    served = generation;
    server.load(in);
  }
}
