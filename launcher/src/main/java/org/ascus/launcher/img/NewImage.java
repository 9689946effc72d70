package org.ascus.launcher.img;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.crypto.ImageKey;
import org.ascus.devices.block.crypto.LuksNode;
import org.ascus.devices.block.crypto.LuksOptions;
import org.ascus.devices.block.crypto.LuksVolume;
import org.ascus.devices.block.format.ImageOptions;
import org.ascus.devices.block.format.RawFormat;
import org.ascus.devices.block.format.qcow2.Qcow2Node;
import org.ascus.devices.block.format.qcow2.Qcow2Options;
import org.ascus.devices.block.protocol.FileProtocol;
import org.ascus.devices.security.Secret;

/** An image that is to be made: a format and {@code -o}'s options. */
final class NewImage {
  private static final int PIECE = 1 << 20;
  /** How a new part of an image can get its place. */
  static final List<String> PREALLOCATIONS = List.of("off", "metadata", "falloc", "full");

  private static final String[] LUKS_OPTIONS =
      {"key-secret", "cipher-alg", "cipher-mode", "ivgen-alg", "ivgen-hash-alg", "hash-alg", "iter-time"};

  private final Path path;
  private final String format;
  private final Images images;
  private boolean durable = true;
  private boolean over;
  private final Map<String, String> options = new LinkedHashMap<>();

  /** @param images where secrets are found */
  NewImage(String path, String format, List<String> options, Images images) throws ImgException {
    this.path = Images.path(path);
    this.format = format;
    this.images = images;
    if (!List.of("raw", "qcow2", "luks").contains(format)) {
      throw new ImgException("Unknown file format '" + format + "'");
    }
    for (String list : options) {
      for (String option : list.split("(?<!,),(?!,)")) {
        String[] pair = option.replace(",,", ",").split("=", 2);
        this.options.put(pair[0], pair.length == 2 ? pair[1] : "on");
      }
    }
  }

  Optional<String> option(String name) {
    return Optional.ofNullable(options.get(name));
  }

  void set(String name, String value) {
    options.put(name, value);
  }

  private boolean flag(String name) throws ImgException {
    return flag(name, options.getOrDefault(name, "off"));
  }

  static boolean flag(String name, String value) throws ImgException {
    return switch (value) {
      case "on", "yes", "true" -> true;
      case "off", "no", "false" -> false;
      default -> throw new ImgException("Parameter '" + name + "' expects 'on' or 'off'");
    };
  }

  /** What a compatibility level of qcow2 is in its header. */
  static int version(String compat) throws ImgException {
    return switch (compat) {
      case "0.10", "v2" -> 2;
      case "1.1", "v3" -> 3;
      default -> throw new ImgException("Invalid parameter '" + compat + "' for 'compat'");
    };
  }

  private Qcow2Options qcow2(long size) throws ImgException {
    Qcow2Options made = Qcow2Options.of(size);
    for (Map.Entry<String, String> e : options.entrySet()) {
      String value = e.getValue();
      made = switch (e.getKey()) {
        case "encryption", "encrypt.format", "encrypt.key-secret", "encrypt.cipher-alg", "encrypt.cipher-mode",
            "encrypt.ivgen-alg", "encrypt.ivgen-hash-alg", "encrypt.hash-alg", "encrypt.iter-time" -> made;
        case "size", "preallocation", "data_file", "backing_fmt", "nocow", "extent_size_hint", "data_file_raw" -> made;
        case "backing_file" -> made.withBacking(value, options.getOrDefault("backing_fmt", ""));
        case "cluster_size" -> made.withClusterSize((int) Math.min(Sizes.parse("cluster size", value), 1 << 30));
        case "refcount_bits" -> made.withRefcountBits((int) Math.min(Sizes.parse("refcount_bits", value), 1 << 10));
        case "lazy_refcounts" -> made.withLazyRefcounts(flag("lazy_refcounts"));
        case "extended_l2" -> made.withExtendedL2(flag("extended_l2"));
        case "compat" -> made.withVersion(version(value));
        case "compression_type" -> made.withZstd(switch (value) {
          case "zlib" -> false;
          case "zstd" -> true;
          default -> throw new ImgException("Invalid parameter '" + value + "' for 'compression_type'");
        });
        default -> throw new ImgException("Invalid parameter '" + e.getKey() + "'");
      };
    }
    return options.containsKey("data_file") ? made.withDataFile(options.get("data_file"), flag("data_file_raw")) : made;
  }

  /** The LUKS volume that is to be in a qcow2 image. */
  private Optional<Qcow2Node.NewLuks> luks() throws ImgException {
    Map<String, String> inner = new LinkedHashMap<>();
    options.forEach((name, value) -> {
      if (name.startsWith("encrypt.")) {
        inner.put(name.substring("encrypt.".length()), value);
      }
    });
    if (options.containsKey("encryption") && inner.containsKey("format")) {
      throw new ImgException(path + ": 'encrypt.format' and its alias 'encryption' can't be used at the same time");
    }
    boolean legacy = flag("encryption");
    String kind = inner.getOrDefault("format", legacy ? "aes" : "");
    return switch (kind) {
      case "luks" -> Optional.of(new Qcow2Node.NewLuks(luks(inner), passphrase("encrypt.key-secret")));
      case "aes" -> throw new ImgException(
          path + ": AES-CBC encrypted qcow2 images are only read: use encrypt.format=luks");
      case "" -> {
        if (!inner.isEmpty()) {
          throw new ImgException(path + ": Parameter 'encrypt.format' is missing");
        }
        yield Optional.empty();
      }
      default -> throw new ImgException(path + ": Parameter 'encrypt.format' does not accept value '" + kind + "'");
    };
  }

  /** A volume's options; what is wrong with them is said of the image. */
  private LuksOptions luks(Map<String, String> given) throws ImgException {
    try {
      return LuksOptions.parse(given);
    } catch (BlockException e) {
      throw new ImgException(path + ": " + e.getMessage());
    }
  }

  /** Bytes of the encryption's header and keys. */
  long encryptionBytes() throws ImgException {
    if (format.equals("luks")) {
      passphrase("key-secret");
      return LuksVolume.headerBytes(luks(options));
    }
    Optional<Qcow2Node.NewLuks> luks = format.equals("qcow2") ? luks() : Optional.empty();
    return luks.isPresent() ? LuksVolume.headerBytes(luks.get().options()) : 0;
  }

  private Secret passphrase(String option) throws ImgException {
    String id = options.get(option);
    if (id == null) {
      throw new ImgException(path + ": Parameter '" + option + "' is required for cipher");
    }
    try {
      return images.secret(id);
    } catch (ImgException e) {
      throw new ImgException(path + ": " + e.getMessage());
    }
  }

  /** Leaves it to the host when the image reaches the disk, as qemu-img does where it copies. */
  NewImage written(String cache) {
    durable = !cache.equals("unsafe");
    return this;
  }

  /** The backing file is opened with the image. */
  NewImage overBacking() {
    over = true;
    return this;
  }

  /** The line that {@code create} says. */
  String describe(long size) throws ImgException {
    StringBuilder text = new StringBuilder("Formatting '" + path + "', fmt=" + format);
    if (format.equals("qcow2")) {
      Qcow2Options o = qcow2(size);
      encryption(text, "encryption", "encrypt.format", "encrypt.key-secret", "encrypt.cipher-alg",
          "encrypt.cipher-mode", "encrypt.ivgen-alg", "encrypt.ivgen-hash-alg", "encrypt.hash-alg",
          "encrypt.iter-time");
      text.append(" cluster_size=").append(o.clusterSize());
      text.append(" extended_l2=").append(o.extendedL2() ? "on" : "off");
      option("preallocation").ifPresent(p -> text.append(" preallocation=").append(p));
      text.append(" compression_type=").append(o.compression() == 0 ? "zlib" : "zstd");
      text.append(" size=").append(Math.ceilDiv(size, 512L) * 512);
      option("compat").ifPresent(c -> text.append(" compat=").append(c));
      if (!o.backingFile().isEmpty()) {
        text.append(" backing_file=").append(o.backingFile()).append(" backing_fmt=").append(o.backingFormat());
      }
      option("data_file").ifPresent(f -> text.append(" data_file=").append(f));
      text.append(" lazy_refcounts=").append(o.lazyRefcounts() ? "on" : "off");
      text.append(" refcount_bits=").append(o.refcountBits());
    } else {
      text.append(" size=").append(size);
      option("preallocation").ifPresent(p -> text.append(" preallocation=").append(p));
      encryption(text, LUKS_OPTIONS);
    }
    return text.toString();
  }

  private void encryption(StringBuilder text, String... names) {
    for (String name : names) {
      option(name).ifPresent(value -> text.append(" ").append(name).append("=").append(value));
    }
  }

  /** Makes the image and opens it for writing, without its backing file unless {@link #overBacking} was called. */
  BlockNode make(long size) throws BlockException, ImgException {
    String preallocation = options.getOrDefault("preallocation", "off");
    if (!PREALLOCATIONS.contains(preallocation)) {
      throw new ImgException("Invalid parameter '" + preallocation + "' for 'preallocation'");
    }
    if (format.equals("raw")) {
      return raw(size, preallocation);
    }
    if (format.equals("luks")) {
      return luks(size);
    }
    Qcow2Options wanted = qcow2(size);
    boolean backed = !wanted.backingFile().isEmpty();
    if (backed && !preallocation.equals("off") && !wanted.extendedL2()) {
      throw new ImgException(
          path + ": Backing file and preallocation can only be used at the same time if extended_l2 is on");
    }
    Optional<Qcow2Node.NewLuks> luks = luks();
    touch(path);
    FileProtocol.Options growable = new FileProtocol.Options(false, true, true).withDurable(durable);
    Qcow2Node node = Qcow2Node.create(FileProtocol.open(path, growable), wanted, new Neighbours(false), luks);
    try {
      preallocate(node, 0, backed && !preallocation.equals("off") ? "metadata" : preallocation);
      if (!over || !backed) {
        return node;
      }
      // A new image grows from nothing, and where it grows it would hide what a backing file has.
      node.close();
      ImageKey key = luks.map(l -> ImageKey.of(l.passphrase())).orElse(ImageKey.MISSING);
      return Qcow2Node.open(FileProtocol.open(path, growable), new Neighbours(true), false, Map.of(), key);
    } catch (BlockException e) {
      node.close();
      throw e;
    }
  }

  /**
   * Gives the bytes from {@code first} on their place.
   *
   * @param way one of {@link #PREALLOCATIONS}
   */
  static void preallocate(BlockNode node, long first, String way) throws BlockException {
    if (way.equals("off") || first == node.size()) {
      return;
    }
    if (node instanceof Qcow2Node image) {
      image.preallocate(first);
      for (long at = first; at < node.size() && !way.equals("metadata"); at += PIECE) {
        node.write(at, ByteBuffer.allocate((int) Math.min(PIECE, node.size() - at)));
      }
    } else {
      node.writeZeroes(first, node.size() - first, false);
    }
    node.flush();
  }

  private BlockNode raw(long size, String preallocation) throws BlockException, ImgException {
    for (String name : options.keySet()) {
      if (!List.of("size", "preallocation", "nocow", "extent_size_hint").contains(name)) {
        throw new ImgException("Invalid parameter '" + name + "'");
      }
    }
    if (preallocation.equals("metadata")) {
      throw new ImgException(path + ": Unsupported preallocation mode: metadata");
    }
    touch(path);
    FileProtocol file = FileProtocol.open(path, FileProtocol.Options.READ_WRITE.withDurable(durable));
    file.resize(0);
    file.resize(size);
    if (preallocation.equals("full") || preallocation.equals("falloc") && !file.allocate(0, size)) {
      file.writeZeroes(0, size, false);
    }
    return new RawFormat(file);
  }

  private BlockNode luks(long size) throws BlockException, ImgException {
    for (String name : options.keySet()) {
      if (!List.of(LUKS_OPTIONS).contains(name) && !List.of("size", "preallocation").contains(name)) {
        throw new ImgException("Invalid parameter '" + name + "'");
      }
    }
    LuksOptions wanted = luks(options);
    byte[] passphrase = passphrase("key-secret").toBytes();
    touch(path);
    FileProtocol file = FileProtocol.open(path, new FileProtocol.Options(false, true, true).withDurable(durable));
    return LuksNode.create(file, wanted, passphrase, Math.ceilDiv(size, 512L) * 512);
  }

  private static void touch(Path file) throws BlockException {
    try {
      if (!Files.exists(file)) {
        Files.createFile(file);
      }
    } catch (IOException e) {
      throw BlockException.open(file, e);
    }
  }

  private final class Neighbours implements Qcow2Node.Files {
    private final boolean withBacking;

    Neighbours(boolean withBacking) {
      this.withBacking = withBacking;
    }

    @Override
    public Optional<BlockNode> backing(String name, String backingFormat) throws BlockException {
      return withBacking ? Optional.of(ImageOptions.named(
          ImageOptions.neighbour(path.toString(), name), backingFormat, true, false, true).open()) : Optional.empty();
    }

    @Override
    public BlockNode data(String name) throws BlockException {
      Path data = Path.of(ImageOptions.neighbour(path.toString(), name));
      touch(data);
      return FileProtocol.open(data, new FileProtocol.Options(false, true, true).withDurable(durable));
    }
  }
}
