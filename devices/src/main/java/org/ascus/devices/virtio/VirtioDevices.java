package org.ascus.devices.virtio;

import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.ascus.devices.block.BlockSizes;
import org.ascus.devices.block.Drive;
import org.ascus.devices.block.ErrorPolicy;
import org.ascus.devices.block.IoThread;
import org.ascus.devices.chardev.CharBackend;
import org.ascus.devices.fs.FolderOptions;
import org.ascus.devices.fs.SharedFolder;
import org.ascus.devices.net.NetCard;
import org.ascus.devices.virtio.balloon.BalloonOptions;
import org.ascus.devices.virtio.balloon.VirtioBalloon;
import org.ascus.devices.virtio.blk.BlkOptions;
import org.ascus.devices.virtio.blk.VirtioBlk;
import org.ascus.devices.virtio.console.VirtioPort;
import org.ascus.devices.virtio.console.VirtioSerial;
import org.ascus.devices.virtio.console.VirtioSerialBus;
import org.ascus.devices.virtio.input.InputKind;
import org.ascus.devices.virtio.input.VirtioInput;
import org.ascus.devices.virtio.net.NetFeature;
import org.ascus.devices.virtio.net.NetOptions;
import org.ascus.devices.virtio.net.VirtioNet;
import org.ascus.devices.virtio.p9.VirtioP9;
import org.ascus.devices.virtio.rng.EntropySource;
import org.ascus.devices.virtio.rng.VirtioRng;
import org.ascus.devices.virtio.scsi.VirtioScsi;
import org.ascus.devices.virtio.vsock.VirtioVsock;
import org.ascus.machine.bus.GuestRam;
import org.ascus.machine.device.DeviceContext;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.device.DeviceProvider;
import org.ascus.machine.device.DeviceType;
import org.ascus.machine.device.Property;
import org.ascus.machine.device.Property.Kind;
import org.ascus.machine.device.PropertyValues;
import org.ascus.machine.run.RunState;

/**
 * The virtio devices that a user can name, each on all transports by {@link VirtioKind}, and the ports of virtio
 * consoles.
 */
public final class VirtioDevices implements DeviceProvider {
  private static final String SERIAL_BUS = "virtio-serial-bus";
  private static final Property BUS_PROPERTY = new Property("bus", Kind.STRING, "", "Bus to plug into");

  private static final Property IOTHREAD =
      new Property("iothread", Kind.STRING, "", "ID of an -object iothread whose threads wait for the disk");

  /** For {@link java.util.ServiceLoader}. */
  public VirtioDevices() {}

  @Override
  public List<DeviceType> types() {
    List<DeviceType> types = new ArrayList<>();
    kinds().forEach(k -> types.addAll(k.types()));
    types.add(port(true));
    types.add(port(false));
    return types;
  }

  @Override
  public Map<String, String> aliases() {
    Map<String, String> aliases = new LinkedHashMap<>();
    kinds().forEach(k -> aliases.put(k.stem(), k.stem() + "-pci"));
    return aliases;
  }

  private static List<VirtioKind> kinds() {
    List<VirtioKind> kinds = new ArrayList<>(List.of(p9(), balloon(), blk(), net(), rng(), scsi(), serial()));
    for (InputKind kind : InputKind.values()) {
      kinds.add(input(kind));
    }
    kinds.add(vsock());
    return kinds;
  }

  private static VirtioKind p9() {
    return new VirtioKind(
        "virtio-9p",
        "Folder of the host on virtio",
        List.of(
            new Property("fsdev", Kind.STRING, "", "ID of a -fsdev"),
            new Property("mount_tag", Kind.STRING, "", "What the guest mounts it by")),
        VirtioDevices::makeP9);
  }

  private static VirtioDevice makeP9(DeviceContext context, String id, PropertyValues v) throws DeviceException {
    String fsdev = v.getString("fsdev");
    FolderOptions options;
    try {
      options = context.lookup(FolderOptions.class, fsdev);
    } catch (DeviceException e) {
      throw new DeviceException("9pfs device couldn't find fsdev with the id = " + fsdev, e);
    }
    if (v.getString("mount_tag").isEmpty()) {
      throw new DeviceException("fsdev with id " + fsdev + " needs mount_tag arguments");
    }
    SharedFolder folder;
    try {
      folder = SharedFolder.open(options);
    } catch (IOException e) {
      throw new DeviceException(
          "cannot initialize fsdev '" + fsdev + "': failed to open '" + options.path() + "': " + e.getMessage(), e);
    }
    try {
      return new VirtioP9(id, VirtioHost.of(context.machine()), folder, v.getString("mount_tag"));
    } catch (DeviceException e) {
      folder.close();
      throw e;
    }
  }

  private static VirtioKind balloon() {
    return new VirtioKind(
        "virtio-balloon",
        "Virtio memory balloon",
        List.of(
            new Property("deflate-on-oom", Kind.BOOL, "off", "Let the guest take memory back when it runs out of it"),
            new Property("free-page-reporting", Kind.BOOL, "off", "Let the guest tell of free memory by itself"),
            new Property("page-poison", Kind.BOOL, "on", "Let the guest say what it fills free memory with"),
            new Property(
                "guest-stats-polling-interval", Kind.UINT32, "0", "Seconds between statistics; 0 for none")),
        (context, id, v) -> {
          BalloonOptions options =
              new BalloonOptions(
                  v.getBool("deflate-on-oom"),
                  v.getBool("free-page-reporting"),
                  v.getBool("page-poison"),
                  (int) Math.min(v.getLong("guest-stats-polling-interval"), Integer.MAX_VALUE));
          if (context.machine().devices().stream().anyMatch(VirtioBalloon.class::isInstance)) {
            throw new DeviceException("Only one balloon device is supported");
          }
          // The largest block: others are flash and the like.
          long ram = context.machine().ram().stream().mapToLong(GuestRam::size).max().orElse(0);
          return new VirtioBalloon(id, VirtioHost.of(context.machine()), ram, options);
        });
  }

  private static VirtioKind vsock() {
    return new VirtioKind(
        "virtio-vsock",
        "Virtio socket device",
        false,
        List.of(
            new Property("guest-cid", Kind.UINT64, "", "Context of the guest, from 3 up"),
            new Property("socket", Kind.STRING, "", "Path of a Unix socket; the guest calls out to it with _PORT")),
        VirtioDevices::makeVsock);
  }

  private static VirtioDevice makeVsock(DeviceContext context, String id, PropertyValues v) throws DeviceException {
    if (!v.isSet("guest-cid")) {
      throw new DeviceException("guest-cid property must be set");
    }
    if (v.getString("socket").isEmpty()) {
      throw new DeviceException("socket property must be set");
    }
    VirtioHost host = VirtioHost.of(context.machine());
    VirtioVsock device = new VirtioVsock(id, host, v.getLong("guest-cid"), Path.of(v.getString("socket")));
    context
        .machine()
        .addStateListener(
            state -> {
              if (state != RunState.RUNNING) {
                device.quiesce();
              }
            });
    return device;
  }

  private static VirtioKind input(InputKind kind) {
    return new VirtioKind(
        kind.stem(),
        "Virtio input device",
        false,
        List.of(),
        (context, id, v) -> new VirtioInput(id, VirtioHost.of(context.machine()), kind));
  }

  private static VirtioKind blk() {
    BlkOptions d = BlkOptions.DEFAULT;
    List<Property> properties = new ArrayList<>();
    properties.add(new Property("drive", Kind.DRIVE, "", "Node name or ID of a block device to use as a backend"));
    properties.add(new Property("serial", Kind.STRING, d.serial(), "Serial number that the guest can read"));
    properties.addAll(BlockSizes.properties(d.sizes().discard(), "a logical block"));
    properties.addAll(
        List.of(
            new Property("write-cache", Kind.STRING, "auto", "A write cache: on, off, or auto as the drive says"),
            new Property("share-rw", Kind.BOOL, "off", "Other devices may have the disk, too"),
            new Property("num-queues", Kind.UINT32, "1", "Number of request queues"),
            new Property("queue-size", Kind.UINT32, "256", "Entries per queue, a power of two"),
            new Property("config-wce", Kind.BOOL, "on", "Let the guest switch the write cache"),
            new Property("discard", Kind.BOOL, "on", "Offer discard requests"),
            new Property("write-zeroes", Kind.BOOL, "on", "Offer write-zeroes requests"),
            IOTHREAD,
            new Property("bootindex", Kind.UINT32, "", "Place in the firmware's boot order")));
    properties.addAll(ErrorPolicy.properties());
    return new VirtioKind("virtio-blk", "Virtio block device", properties, VirtioDevices::makeBlk);
  }

  private static VirtioDevice makeBlk(DeviceContext context, String id, PropertyValues v) throws DeviceException {
    if (v.getString("drive").isEmpty()) {
      throw new DeviceException("drive property not set");
    }
    Drive node = context.lookup(Drive.class, v.getString("drive"));
    if (node.medium().isEmpty()) {
      throw new DeviceException("Device needs media, but drive is empty");
    }
    BlkOptions options =
        new BlkOptions(
            v.getString("serial"),
            BlockSizes.of(v),
            (int) Math.min(v.getLong("num-queues"), Integer.MAX_VALUE),
            (int) Math.min(v.getLong("queue-size"), Integer.MAX_VALUE),
            v.getBool("config-wce"),
            v.getBool("discard"),
            v.getBool("write-zeroes"),
            node.errors().with(v));
    setCache(node, v);
    VirtioHost host = VirtioHost.of(context.machine());
    VirtioBlk device = new VirtioBlk(id, host, node, options, threads(context, id, v));
    node.attach(device);
    return device;
  }

  /** Gives a drive the write cache that the device in it asks for. */
  public static void setCache(Drive drive, PropertyValues v) throws DeviceException {
    String cache = v.getString("write-cache");
    switch (cache) {
      case "auto" -> {}
      case "on", "off" -> drive.setWriteThrough(cache.equals("off"));
      default -> throw new DeviceException("Parameter 'write-cache' does not accept value '" + cache + "'");
    }
  }

  private static IoThread threads(DeviceContext context, String id, PropertyValues v) throws DeviceException {
    String name = v.getString("iothread");
    return name.isEmpty() ? new IoThread(id, IoThread.DEFAULT_MOST) : context.lookup(IoThread.class, name);
  }

  private static VirtioKind net() {
    List<Property> properties = new ArrayList<>(NetCard.PROPERTIES);
    properties.addAll(
        List.of(
            new Property("queues", Kind.UINT32, "1", "Pairs of receive and transmit queues, 1 to 8"),
            new Property("mq", Kind.BOOL, "on", "Let the guest use several pairs of queues, if there are several"),
            new Property("rx_queue_size", Kind.UINT32, "256", "Entries per receive queue, 256, 512 or 1024"),
            new Property("tx_queue_size", Kind.UINT32, "256", "Entries per transmit queue, 256, 512 or 1024"),
            new Property("host_mtu", Kind.UINT32, "0", "MTU that the guest is told, in bytes; 0 for none"),
            new Property("speed", Kind.INT32, "-1", "Mbit/s that the guest is told; -1 for none"),
            new Property("duplex", Kind.STRING, "", "half or full, as the guest is told"),
            new Property("tx", Kind.STRING, "bh", "timer or bh; frames are sent at once with both"),
            new Property("bootindex", Kind.UINT32, "", "Place in the firmware's boot order")));
    for (NetFeature feature : NetFeature.values()) {
      properties.add(new Property(feature.property(), Kind.BOOL, "on", feature.help()));
    }
    return new VirtioKind("virtio-net", "Virtio network device", properties, VirtioDevices::makeNet);
  }

  private static VirtioDevice makeNet(DeviceContext context, String id, PropertyValues v) throws DeviceException {
    Set<NetFeature> features = NetFeature.all();
    features.removeIf(f -> !v.getBool(f.property()));
    if (!List.of("bh", "timer").contains(v.getString("tx"))) {
      throw new DeviceException(
          "virtio-net: Unknown option tx=" + v.getString("tx") + ", valid options: 'timer' 'bh'");
    }
    NetOptions options =
        new NetOptions(
            NetCard.mac(context, v),
            v.getBool("mq") ? (int) Math.min(v.getLong("queues"), Integer.MAX_VALUE) : 1,
            (int) Math.min(v.getLong("rx_queue_size"), Integer.MAX_VALUE),
            (int) Math.min(v.getLong("tx_queue_size"), Integer.MAX_VALUE),
            (int) Math.min(v.getLong("host_mtu"), Integer.MAX_VALUE),
            new NetOptions.Link(v.getLong("speed"), v.getString("duplex")),
            features);
    VirtioNet card = new VirtioNet(id, VirtioHost.of(context.machine()), NetCard.link(context, v), options);
    // What comes while the machine is stopped waits with the sender.
    context
        .machine()
        .addStateListener(
            state -> {
              if (state != RunState.RUNNING) {
                card.quiesce();
              }
            });
    return card;
  }

  private static VirtioKind rng() {
    return new VirtioKind(
        "virtio-rng",
        "Virtio entropy device",
        List.of(
            new Property("rng", Kind.STRING, "", "ID of an entropy source; the host's if empty"),
            new Property("max-bytes", Kind.UINT64, Long.toString(VirtioRng.UNLIMITED), "Most bytes per period"),
            new Property("period", Kind.UINT32, "65536", "Length of a period in milliseconds")),
        VirtioDevices::makeRng);
  }

  private static VirtioDevice makeRng(DeviceContext context, String id, PropertyValues v) throws DeviceException {
    EntropySource source =
        v.getString("rng").isEmpty()
            ? new SecureRandom()::nextBytes
            : context.lookup(EntropySource.class, v.getString("rng"));
    VirtioHost host = VirtioHost.of(context.machine());
    return new VirtioRng(id, host, source, v.getLong("max-bytes"), v.getLong("period"));
  }

  private static VirtioKind scsi() {
    return new VirtioKind(
        "virtio-scsi",
        "Virtio SCSI host",
        List.of(new Property("num_queues", Kind.UINT32, "1", "Number of request queues, 1 to 16"), IOTHREAD),
        (context, id, v) -> {
          int queues = (int) Math.min(v.getLong("num_queues"), Integer.MAX_VALUE);
          return new VirtioScsi(id, VirtioHost.of(context.machine()), queues, threads(context, id, v));
        });
  }

  private static VirtioKind serial() {
    return new VirtioKind(
        "virtio-serial",
        "Virtio console device, a bus for ports",
        List.of(
            new Property("max_ports", Kind.UINT32, "31", "Number of ports, 1 to 31")),
        (context, id, v) -> {
          int ports = (int) Math.min(v.getLong("max_ports"), Integer.MAX_VALUE);
          return new VirtioSerial(id, VirtioHost.of(context.machine()), ports);
        });
  }

  private static DeviceType port(boolean console) {
    return new DeviceType(
        console ? "virtconsole" : "virtserialport",
        SERIAL_BUS,
        console ? "Console on a virtio console device" : "Named port on a virtio console device",
        List.of(
            BUS_PROPERTY,
            new Property("chardev", Kind.CHARDEV, "", "ID of a chardev to use as a backend"),
            new Property("name", Kind.STRING, "", "Name that the guest finds the port by"),
            new Property("nr", Kind.UINT32, "", "Port number; the lowest free one if not set")),
        (context, id, v) -> {
          String chardev = v.getString("chardev");
          Optional<CharBackend> backend =
              chardev.isEmpty() ? Optional.empty() : Optional.of(context.lookup(CharBackend.class, chardev));
          VirtioPort port = new VirtioPort(id, console, v.getString("name"), backend);
          int number = v.isSet("nr") ? (int) Math.min(v.getLong("nr"), Integer.MAX_VALUE) : VirtioSerialBus.ANY;
          context.lookup(VirtioSerialBus.class, v.getString("bus")).plug(port, number);
          return port;
        });
  }
}
