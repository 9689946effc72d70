package org.ascus.devices.virtio.net;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.ascus.devices.net.Frame;
import org.ascus.devices.net.MacAddress;
import org.ascus.devices.net.NetCard;
import org.ascus.devices.net.NetLink;
import org.ascus.devices.net.NetPeer;
import org.ascus.devices.net.Offload;
import org.ascus.devices.net.Offloads;
import org.ascus.devices.virtio.VirtioDevice;
import org.ascus.devices.virtio.VirtioFeatures;
import org.ascus.devices.virtio.VirtioHost;
import org.ascus.devices.virtio.queue.Virtqueue;
import org.ascus.devices.virtio.queue.VirtqueueElement;
import org.ascus.devices.virtio.queue.VirtqueueException;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;

/**
 * The virtio network device (VIRTIO 1.2, section 5.1). Queues: receive and transmit by pairs, then control.
 *
 * <p>The thread that notifies a transmit queue copies its frames out and hands them to the back end; when that has no
 * room the rest stays in the queue. A frame for the guest is copied into its buffers by the back end's thread. So a
 * frame is either the guest's or the back end's, and a saved state needs no frames.
 */
public final class VirtioNet extends VirtioDevice implements NetCard {
  private static final int DEVICE_ID = 1;

  private static final long F_GUEST_CSUM = NetFeature.GUEST_CSUM.mask();
  private static final long F_CTRL_GUEST_OFFLOADS = NetFeature.CTRL_GUEST_OFFLOADS.mask();
  private static final long F_MTU = 1L << 3;
  private static final long F_MAC = 1L << 5;
  private static final long F_GSO = NetFeature.GSO.mask();
  private static final long F_GUEST_TSO4 = NetFeature.GUEST_TSO4.mask();
  private static final long F_GUEST_TSO6 = NetFeature.GUEST_TSO6.mask();
  private static final long F_GUEST_ECN = NetFeature.GUEST_ECN.mask();
  private static final long F_HOST_TSO4 = NetFeature.HOST_TSO4.mask();
  private static final long F_HOST_TSO6 = NetFeature.HOST_TSO6.mask();
  private static final long F_HOST_ECN = NetFeature.HOST_ECN.mask();
  private static final long F_MRG_RXBUF = NetFeature.MRG_RXBUF.mask();
  private static final long F_CTRL_VQ = NetFeature.CTRL_VQ.mask();
  private static final long F_CTRL_RX = NetFeature.CTRL_RX.mask();
  private static final long F_CTRL_VLAN = NetFeature.CTRL_VLAN.mask();
  private static final long F_CTRL_RX_EXTRA = NetFeature.CTRL_RX_EXTRA.mask();
  private static final long F_GUEST_ANNOUNCE = NetFeature.GUEST_ANNOUNCE.mask();
  private static final long F_CTRL_MAC_ADDR = NetFeature.CTRL_MAC_ADDR.mask();
  private static final long F_MQ = 1L << 22;
  private static final long F_SPEED_DUPLEX = 1L << 63;

  private static final long GUEST_SEGMENTS = F_GUEST_TSO4 | F_GUEST_TSO6;
  private static final long HOST_SEGMENTS = F_HOST_TSO4 | F_HOST_TSO6;
  private static final long GUEST_OFFLOADS = F_GUEST_CSUM | GUEST_SEGMENTS | F_GUEST_ECN;
  /** What goes through the control queue. */
  private static final long CONTROL =
      F_CTRL_RX | F_CTRL_VLAN | F_CTRL_RX_EXTRA | F_GUEST_ANNOUNCE | F_CTRL_MAC_ADDR | F_CTRL_GUEST_OFFLOADS;

  private static final int LINK_UP = 1;
  private static final int ANNOUNCE = 2;

  private final NetLink link;
  private final NetOptions options;
  private final RxFilter filter = new RxFilter();
  private final ControlQueue control = new ControlQueue(new Commands());
  private final Card card = new Card();
  private MacAddress mac;
  private boolean announce;
  private int activePairs = 1;
  private long guestOffloads;
  private boolean rxWaits;
  private boolean txWaits;
  private boolean quiet;
  private volatile Offloads takes = Offloads.NONE;

  /**
   * @param link to the back end; gets plugged in
   */
  public VirtioNet(String id, VirtioHost host, NetLink link, NetOptions options) throws DeviceException {
    super("virtio-net-device", id, host, DEVICE_ID, options.check().queueSizes());
    this.link = link;
    this.options = options;
    this.mac = options.mac();
    link.plug(card);
  }

  @Override
  public MacAddress mac() {
    lock().lock();
    try {
      return mac;
    } finally {
      lock().unlock();
    }
  }

  @Override
  public NetLink link() {
    return link;
  }

  /** What the properties leave of what the back end can do; nothing without what it needs (section 5.1.3.1). */
  @Override
  protected long deviceFeatures() {
    long features = F_MAC;
    for (NetFeature feature : options.features()) {
      features |= feature.mask();
    }
    Offloads backend = link.offloads();
    features &= ~(NetFeature.GUEST_UFO.mask() | NetFeature.HOST_UFO.mask());
    features &= backend.checksum() ? ~0L : ~(NetFeature.CSUM.mask() | F_GUEST_CSUM);
    features &= backend.tcp4() ? ~0L : ~(F_HOST_TSO4 | F_GUEST_TSO4);
    features &= backend.tcp6() ? ~0L : ~(F_HOST_TSO6 | F_GUEST_TSO6);
    features &= (features & NetFeature.CSUM.mask()) != 0 ? ~0L : ~HOST_SEGMENTS;
    features &= (features & F_GUEST_CSUM) != 0 ? ~0L : ~GUEST_SEGMENTS;
    features &= (features & HOST_SEGMENTS) != 0 ? ~0L : ~F_HOST_ECN;
    features &= (features & GUEST_SEGMENTS) != 0 ? ~0L : ~F_GUEST_ECN;
    features &= (features & (HOST_SEGMENTS | F_HOST_ECN)) == (HOST_SEGMENTS | F_HOST_ECN) ? ~0L : ~F_GSO;
    features &= (features & GUEST_OFFLOADS) != 0 ? ~0L : ~F_CTRL_GUEST_OFFLOADS;
    features &= (features & F_CTRL_VQ) != 0 ? ~0L : ~CONTROL;
    features |= (features & F_CTRL_VQ) != 0 && options.pairs() > 1 ? F_MQ : 0;
    features |= options.mtu() > 0 ? F_MTU : 0;
    return features | (options.link().isKnown() ? F_SPEED_DUPLEX : 0);
  }

  @Override
  protected long legacyFeatures() {
    return F_GSO;
  }

  /** mac (6 bytes), status (2), max_virtqueue_pairs (2), mtu (2), and if they are known speed (4) and duplex (1). */
  @Override
  protected byte[] configSpace() {
    ByteBuffer space = ByteBuffer.allocate(options.link().isKnown() ? 17 : 12).order(ByteOrder.LITTLE_ENDIAN);
    mac.put(space.array(), 0);
    space.position(MacAddress.BYTES);
    space.putShort((short) ((link.isUp() ? LINK_UP : 0) | (announce ? ANNOUNCE : 0)));
    space.putShort((short) options.pairs()).putShort((short) options.mtu());
    if (options.link().isKnown()) {
      space.putInt((int) options.link().speed()).put((byte) options.link().duplexCode());
    }
    return space.array();
  }

  /** Drivers from before the control queue set their address here. */
  @Override
  protected void configWritten(int offset, int width, long value) {
    if (offset + width > MacAddress.BYTES || negotiated(VirtioFeatures.VERSION_1)) {
      guestError("write of " + width + " bytes to configuration offset " + offset);
      return;
    }
    byte[] bytes = new byte[MacAddress.BYTES];
    mac.put(bytes, 0);
    for (int i = 0; i < width; i++) {
      bytes[offset + i] = (byte) (value >>> 8 * i);
    }
    mac = MacAddress.of(bytes, 0);
  }

  @Override
  protected void driverReady() {
    filter.reset(negotiated(F_CTRL_VLAN));
    setGuestOffloads(driverFeatures() & GUEST_OFFLOADS);
    rxWaits = true;
  }

  private void setGuestOffloads(long bits) {
    guestOffloads = bits;
    boolean checksum = (bits & F_GUEST_CSUM) != 0;
    takes = new Offloads(checksum, checksum && (bits & F_GUEST_TSO4) != 0, checksum && (bits & F_GUEST_TSO6) != 0);
  }

  @Override
  protected void deviceReset() {
    filter.reset(false);
    mac = options.mac();
    announce = false;
    activePairs = 1;
    setGuestOffloads(0);
    rxWaits = true;
    txWaits = false;
  }

  private int controlIndex() {
    return negotiated(F_MQ) ? 2 * options.pairs() : 2;
  }

  @Override
  protected void queueNotified(Virtqueue queue) {
    quiet = false;
    try {
      if (queue.index() == controlIndex() && options.has(NetFeature.CTRL_VQ)) {
        if (control.run(queue)) {
          publish(queue);
        }
      } else if (queue.index() % 2 == 1) {
        transmit(queue);
      } else if (rxWaits) {
        rxWaits = false;
        link.cardHasRoom();
      }
    } catch (VirtqueueException e) {
      fail(queue, e.getMessage());
    }
  }

  private int headerSize() {
    return negotiated(F_MRG_RXBUF | VirtioFeatures.VERSION_1) ? NetHeader.LONG : NetHeader.SHORT;
  }

  private void transmit(Virtqueue queue) throws VirtqueueException {
    boolean used = false;
    while (!txWaits) {
      Optional<VirtqueueElement> next = queue.pop();
      if (next.isEmpty()) {
        break;
      }
      Optional<Frame> frame = frame(next.get());
      if (frame.isPresent() && !link.send(frame.get())) {
        queue.unpop();
        txWaits = true;
        break;
      }
      queue.push(next.get(), 0);
      used = true;
    }
    if (used) {
      publish(queue);
    }
  }

  /** The frame in a buffer of the driver; nothing if it is none that a network would carry. */
  private Optional<Frame> frame(VirtqueueElement element) throws VirtqueueException {
    int headerSize = headerSize();
    long size = element.readable().size() - headerSize;
    if (size < 0) {
      throw new VirtqueueException("buffer of " + element.readable().size() + " bytes, no header");
    }
    if (size < Frame.HEADER || size > Frame.MAX_BYTES) {
      guestError("frame of " + size + " bytes");
      return Optional.empty();
    }
    try {
      Offload work = NetHeader.parse(element.readable().toBytes(0, NetHeader.SHORT), (int) size);
      Frame frame = new Frame(element.readable().toBytes(headerSize, (int) size), work);
      if (link.offloads().takes(work)) {
        return Optional.of(frame);
      }
      if (work.cut() == Offload.Cut.NONE) {
        return Optional.of(frame.finished());
      }
      guestError("segmentation that was not negotiated");
    } catch (IllegalArgumentException e) {
      guestError(e.getMessage());
    }
    return Optional.empty();
  }

  /** The back end has room again. */
  private void transmitAgain() {
    if (!txWaits) {
      return;
    }
    txWaits = false;
    for (int i = 1; i < 2 * options.pairs() && live(); i += 2) {
      if (queue(i).isReady()) {
        try {
          transmit(queue(i));
        } catch (VirtqueueException e) {
          fail(queue(i), e.getMessage());
        }
      }
    }
  }

  private boolean receive(Frame frame) {
    if (quiet || !live()) {
      rxWaits = true;
      return false;
    }
    if (frame.length() < Frame.HEADER || frame.length() > Frame.MAX_BYTES || !filter.passes(frame.bytes(), mac)) {
      return true;
    }
    Frame fit = takes.takes(frame.work()) ? frame : frame.finished();
    if (!takes.takes(fit.work())) {
      // The driver took such frames when this one was made.
      return true;
    }
    Virtqueue queue = queue(2 * (activePairs == 1 ? 0 : FlowHash.of(fit.bytes()) % activePairs));
    try {
      boolean done = fill(queue, fit);
      rxWaits |= !done;
      return done;
    } catch (VirtqueueException e) {
      fail(queue, e.getMessage());
      return true;
    }
  }

  /** Puts a frame into buffers of the driver. Returns false if there are too few of them now. */
  private boolean fill(Virtqueue queue, Frame frame) throws VirtqueueException {
    int headerSize = headerSize();
    int total = headerSize + frame.length();
    boolean mergeable = negotiated(F_MRG_RXBUF);
    List<VirtqueueElement> buffers = new ArrayList<>();
    long room = 0;
    while (room < total) {
      Optional<VirtqueueElement> next = queue.pop();
      if (next.isEmpty()) {
        boolean never = buffers.size() == queue.size();
        giveBack(queue, buffers.size());
        return never;
      }
      buffers.add(next.get());
      room += next.get().writable().size();
      if (buffers.getFirst().writable().size() < headerSize || next.get().writable().size() == 0) {
        throw new VirtqueueException("receive buffer of " + next.get().writable().size() + " bytes");
      }
      if (!mergeable && room < total) {
        giveBack(queue, 1);
        return true;
      }
    }
    byte[] header = NetHeader.make(frame, headerSize, buffers.size(), guestOffloads);
    int done = 0;
    for (VirtqueueElement buffer : buffers) {
      int start = buffer == buffers.getFirst() ? buffer.writable().write(0, header, 0, headerSize) : 0;
      int count = buffer.writable().write(start, frame.bytes(), done, frame.length() - done);
      done += count;
      queue.push(buffer, start + count);
    }
    publish(queue);
    return true;
  }

  private static void giveBack(Virtqueue queue, int count) {
    for (int i = 0; i < count; i++) {
      queue.unpop();
    }
  }

  /** This device as the cable sees it. */
  private final class Card implements NetPeer {
    @Override
    public Offloads offloads() {
      return takes;
    }

    @Override
    public boolean receive(Frame frame) {
      lock().lock();
      try {
        return VirtioNet.this.receive(frame);
      } finally {
        lock().unlock();
      }
    }

    @Override
    public void roomAgain() {
      confined(VirtioNet.this::transmitAgain).run();
    }

    @Override
    public void linkChanged(boolean up) {
      confined(VirtioNet.this::configChanged).run();
    }
  }

  /** What the commands of the control queue do. */
  private final class Commands implements ControlQueue.Target {
    @Override
    public boolean mode(int mode, boolean on) {
      if (!negotiated(mode > 1 ? F_CTRL_RX_EXTRA : F_CTRL_RX)) {
        return false;
      }
      filter.setMode(mode, on);
      return true;
    }

    @Override
    public boolean table(byte[] data) {
      return filter.setTable(data);
    }

    @Override
    public boolean address(byte[] data) {
      if (!negotiated(F_CTRL_MAC_ADDR) || data.length != MacAddress.BYTES) {
        return false;
      }
      mac = MacAddress.of(data, 0);
      return true;
    }

    @Override
    public boolean vlan(int number, boolean wanted) {
      return negotiated(F_CTRL_VLAN) && filter.setVlan(number, wanted);
    }

    @Override
    public boolean announced() {
      boolean asked = announce;
      announce = false;
      return asked;
    }

    @Override
    public boolean pairs(int count) {
      if (!negotiated(F_MQ) || count < 1 || count > options.pairs()) {
        return false;
      }
      activePairs = count;
      return true;
    }

    @Override
    public boolean offloads(long bits) {
      if (!negotiated(F_CTRL_GUEST_OFFLOADS) || (bits & ~(driverFeatures() & GUEST_OFFLOADS)) != 0) {
        return false;
      }
      setGuestOffloads(bits);
      return true;
    }
  }

  /** The network outlives its card, which may be one that is taken out while the machine runs. */
  @Override
  public void close() {
    link.unplug(card);
  }

  @Override
  public void quiesce() {
    confined(() -> quiet = true).run();
  }

  @Override
  protected void running() {
    quiet = false;
    if (rxWaits && live()) {
      rxWaits = false;
      link.cardHasRoom();
    }
    if (announce && negotiated(F_GUEST_ANNOUNCE)) {
      configChanged();
    }
  }

  @Override
  public Map<String, String> properties() {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("mac", mac().toString());
    all.put("netdev", link.id());
    all.put("rx_queue_size", Integer.toString(options.rxQueueSize()));
    all.put("tx_queue_size", Integer.toString(options.txQueueSize()));
    all.put("host_mtu", Integer.toString(options.mtu()));
    return all;
  }

  @Override
  protected void saveDevice(StateWriter out) {
    out.putLong("mac", mac.value());
    out.putLong("pairs", activePairs);
    out.putLong("guestOffloads", guestOffloads);
    filter.save(out);
  }

  @Override
  protected void loadDevice(StateReader in, int version) throws StateException {
    mac = new MacAddress(in.getLong("mac", 0, MacAddress.BROADCAST.value()));
    activePairs = (int) in.getLong("pairs", 1, options.pairs());
    long offloads = in.getLong("guestOffloads");
    if ((offloads & ~(driverFeatures() & GUEST_OFFLOADS)) != 0) {
      throw new StateException("device " + id() + ": offloads 0x" + Long.toHexString(offloads) + " are not negotiated");
    }
    setGuestOffloads(offloads);
    filter.load(in);
    // The network may have moved with the guest: it is to say where it is now.
    announce = negotiated(F_GUEST_ANNOUNCE);
    rxWaits = true;
  }
}
