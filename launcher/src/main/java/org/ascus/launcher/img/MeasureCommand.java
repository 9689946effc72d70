package org.ascus.launcher.img;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.Extent;
import org.ascus.devices.block.format.qcow2.Bitmap;
import org.ascus.devices.block.format.qcow2.Qcow2Node;

/** {@code ascus-img measure}: how large a converted image will be. */
final class MeasureCommand {
  private MeasureCommand() {}

  static int run(List<String> words, PrintStream out) throws ImgException, BlockException {
    Words w = new Words("measure", words, "f:", "l:", "O:", "o:", "U", "output=", "size=", "image-opts", "force-share");
    boolean json = w.json();
    String format = w.get("O").orElse("raw");
    NewImage image = new NewImage("", format, w.all("o"), new Images(w));
    long size;
    long data = 0;
    OptionalLong bitmaps = OptionalLong.empty();
    int cluster = (int) Sizes.parse("cluster size", image.option("cluster_size").orElse("64k"));
    if (Integer.bitCount(cluster) != 1 || cluster < 512 || cluster > 2 << 20) {
      throw new ImgException("Cluster size must be a power of two between 512 and 2048k");
    }
    if (w.get("size").isPresent()) {
      size = Sizes.parse("image size", w.get("size").get());
    } else {
      String name = w.files(1, "At most one filename argument is allowed.").getFirst();
      try (BlockNode node = Images.asOf(new Images(w).source(name, w.get("f")), w.get("l"))) {
        size = node.size();
        data = dataBytes(node, cluster);
        if (node instanceof Qcow2Node q && q.info().version() > 2 && format.equals("qcow2")) {
          bitmaps = OptionalLong.of(bitmapBytes(q, cluster));
        }
      }
    }
    long required = size;
    long full = size;
    if (format.equals("qcow2")) {
      long rounded = Math.ceilDiv(size, (long) cluster) * cluster;
      boolean extended = image.option("extended_l2").orElse("off").equals("on");
      int bits = (int) Sizes.parse("refcount_bits", image.option("refcount_bits").orElse("16"));
      full = metadata(rounded, cluster, extended ? 16 : 8, bits) + rounded;
      required = full - rounded + (image.option("preallocation").orElse("off").equals("off") ? data : rounded);
    }
    long luks = image.encryptionBytes();
    if (format.equals("qcow2")) {
      luks = Math.ceilDiv(luks, (long) cluster) * cluster;
    }
    required += luks;
    full += luks;
    if (json) {
      Map<String, Object> all = new LinkedHashMap<>();
      all.put("required", required);
      all.put("fully-allocated", full);
      bitmaps.ifPresent(bytes -> all.put("bitmaps", bytes));
      out.println(Json.text(all));
    } else {
      out.println("required size: " + required);
      out.println("fully allocated size: " + full);
      bitmaps.ifPresent(bytes -> out.println("bitmaps size: " + bytes));
    }
    return 0;
  }

  /** Bytes of the image's bitmaps in one of that cluster size, all of whose bits are set. */
  private static long bitmapBytes(Qcow2Node node, int cluster) throws BlockException {
    long clusters = 0;
    long directory = 0;
    for (Bitmap bitmap : node.bitmaps().list()) {
      long bits = Math.ceilDiv(node.size(), bitmap.granularity());
      long own = Math.ceilDiv(Math.ceilDiv(bits, 8L), (long) cluster);
      clusters += own + Math.ceilDiv(own * Long.BYTES, (long) cluster);
      directory += 24 + (bitmap.name().getBytes(StandardCharsets.UTF_8).length + 7 & -8);
    }
    return (clusters + Math.ceilDiv(directory, (long) cluster)) * cluster;
  }

  private static long dataBytes(BlockNode node, int cluster) throws BlockException {
    long clusters = 0;
    long counted = -1;
    for (long at = 0; at < node.size(); ) {
      Extent extent = node.extent(at, node.size() - at);
      if (!extent.zero()) {
        long first = Math.max(at / cluster, counted + 1);
        long last = (at + extent.length() - 1) / cluster;
        clusters += Math.max(0, last - first + 1);
        counted = Math.max(counted, last);
      }
      at += extent.length();
    }
    return clusters * cluster;
  }

  /** Bytes of header, L1, L2 and refcount tables of an image all of whose clusters are in use. */
  private static long metadata(long size, int cluster, int entryBytes, int refcountBits) {
    long clusters = size / cluster;
    long perL2 = cluster / entryBytes;
    long l2 = Math.ceilDiv(clusters, perL2);
    long l1 = Math.ceilDiv(l2 * 8, (long) cluster);
    long other = 1 + l1 + l2 + clusters;
    long perBlock = cluster * 8L / refcountBits;
    long blocks = 0;
    long table = 0;
    while (true) {
      long needed = Math.ceilDiv(other + blocks + table, perBlock);
      long neededTable = Math.ceilDiv(needed * 8, (long) cluster);
      if (needed == blocks && neededTable == table) {
        return (1 + l1 + l2 + blocks + table) * cluster;
      }
      blocks = needed;
      table = neededTable;
    }
  }
}
