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
import org.ascus.devices.block.format.ImageOptions;
import org.ascus.devices.block.format.RawFormat;
import org.ascus.devices.block.format.qcow2.Qcow2Node;
import org.ascus.devices.block.format.qcow2.Qcow2Options;
import org.ascus.devices.block.protocol.FileProtocol;

/** An image that is to be made: a format and {@code -o}'s options. */
final class NewImage {
  private static final int PIECE = 1 << 20;

  private final Path path;
  private final String format;
  private boolean durable = true;
  private final Map<String, String> options = new LinkedHashMap<>();

  NewImage(String path, String format, List<String> options) throws ImgException {
    this.path = Path.of(path);
    this.format = format;
    if (!format.equals("raw") && !format.equals("qcow2")) {
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
    return switch (options.getOrDefault(name, "off")) {
      case "on", "yes", "true" -> true;
      case "off", "no", "false" -> false;
      default -> throw new ImgException("Parameter '" + name + "' expects 'on' or 'off'");
    };
  }

  private Qcow2Options qcow2(long size) throws ImgException {
    Qcow2Options made = Qcow2Options.of(size);
    for (Map.Entry<String, String> e : options.entrySet()) {
      String value = e.getValue();
      made = switch (e.getKey()) {
        case "size", "preallocation", "data_file", "backing_fmt", "nocow", "extent_size_hint", "data_file_raw" -> made;
        case "backing_file" -> made.withBacking(value, options.getOrDefault("backing_fmt", ""));
        case "cluster_size" -> made.withClusterSize((int) Math.min(Sizes.parse("cluster size", value), 1 << 30));
        case "refcount_bits" -> made.withRefcountBits((int) Math.min(Sizes.parse("refcount_bits", value), 1 << 10));
        case "lazy_refcounts" -> made.withLazyRefcounts(flag("lazy_refcounts"));
        case "extended_l2" -> made.withExtendedL2(flag("extended_l2"));
        case "compat" -> made.withVersion(switch (value) {
          case "0.10", "v2" -> 2;
          case "1.1", "v3" -> 3;
          default -> throw new ImgException("Invalid parameter '" + value + "' for 'compat'");
        });
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

  /** Leaves it to the host when the image reaches the disk, as qemu-img does where it copies. */
  NewImage written(String cache) {
    durable = !cache.equals("unsafe");
    return this;
  }

  /** The line that {@code create} says. */
  String describe(long size) throws ImgException {
    StringBuilder text = new StringBuilder("Formatting '" + path + "', fmt=" + format);
    if (format.equals("qcow2")) {
      Qcow2Options o = qcow2(size);
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
    }
    return text.toString();
  }

  /** Makes the image and opens it for writing, without its backing file. */
  BlockNode make(long size) throws BlockException, ImgException {
    String preallocation = options.getOrDefault("preallocation", "off");
    if (!List.of("off", "metadata", "falloc", "full").contains(preallocation)) {
      throw new ImgException("Invalid parameter '" + preallocation + "' for 'preallocation'");
    }
    if (format.equals("raw")) {
      return raw(size, preallocation);
    }
    Qcow2Options wanted = qcow2(size);
    touch(path);
    FileProtocol file = FileProtocol.open(path, new FileProtocol.Options(false, true, true).withDurable(durable));
    Qcow2Node node = Qcow2Node.create(file, wanted, new NoBacking());
    try {
      if (!preallocation.equals("off")) {
        node.preallocate();
        for (long at = 0; at < size && !preallocation.equals("metadata"); at += PIECE) {
          node.write(at, ByteBuffer.allocate((int) Math.min(PIECE, size - at)));
        }
        node.flush();
      }
      return node;
    } catch (BlockException e) {
      node.close();
      throw e;
    }
  }

  private BlockNode raw(long size, String preallocation) throws BlockException, ImgException {
    for (String name : options.keySet()) {
      if (!List.of("size", "preallocation", "nocow", "extent_size_hint").contains(name)) {
        throw new ImgException("Invalid parameter '" + name + "'");
      }
    }
    touch(path);
    FileProtocol file = FileProtocol.open(path, FileProtocol.Options.READ_WRITE.withDurable(durable));
    file.resize(0);
    file.resize(size);
    if (preallocation.equals("full") || preallocation.equals("falloc")) {
      file.writeZeroes(0, size, false);
    }
    return new RawFormat(file);
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

  private final class NoBacking implements Qcow2Node.Files {
    @Override
    public Optional<BlockNode> backing(String name, String backingFormat) {
      return Optional.empty();
    }

    @Override
    public BlockNode data(String name) throws BlockException {
      Path data = ImageOptions.neighbour(path, name);
      touch(data);
      return FileProtocol.open(data, new FileProtocol.Options(false, true, true).withDurable(durable));
    }
  }
}
