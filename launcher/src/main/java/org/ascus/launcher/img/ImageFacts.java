package org.ascus.launcher.img;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.crypto.LuksNode;
import org.ascus.devices.block.format.foreign.ForeignImage;
import org.ascus.devices.block.format.foreign.ParallelsImage;
import org.ascus.devices.block.format.foreign.QedImage;
import org.ascus.devices.block.format.foreign.VdiImage;
import org.ascus.devices.block.format.foreign.VhdxImage;
import org.ascus.devices.block.format.foreign.VmdkImage;
import org.ascus.devices.block.format.foreign.VpcImage;
import org.ascus.devices.block.format.qcow2.Bitmap;
import org.ascus.devices.block.format.qcow2.Qcow2Node;
import org.ascus.devices.block.format.qcow2.Snapshots;

/**
 * What a format tells of an image.
 *
 * @param clusterSize bytes, 0 if there is none
 * @param backing name of the backing file as the image has it, or empty
 * @param specific what only this format has, in qemu-img's order; maps, lists and values
 */
record ImageFacts(
    String format, int clusterSize, String backing, String backingFormat, boolean encrypted, boolean dirty,
    List<Snapshots.Snapshot> snapshots, Map<String, Object> specific) {
  /** @param format what was said of it, or empty */
  static ImageFacts of(BlockNode node, String format) throws BlockException {
    return switch (node) {
      case Qcow2Node q -> new ImageFacts("qcow2", q.clusterSize(), q.info().backingFile(), q.info().backingFormat(),
          q.encrypted(), q.info().dirty(), q.snapshots().list(), qcow2(q));
      case LuksNode luks -> new ImageFacts("luks", 0, "", "", true, false, List.of(),
          LuksInfo.of(luks.volume().header()).data());
      case VmdkImage v -> foreign(v, "vmdk", v.descriptor().parent(), "vmdk", false, vmdk(v));
      case QedImage q -> foreign(q, "qed", q.backingName(), q.backingFormat(), q.dirty(), Map.of());
      case VdiImage v -> foreign(v, "vdi", "", "", false, Map.of());
      case VpcImage v -> foreign(v, "vpc", "", "", false, Map.of());
      case VhdxImage v -> foreign(v, "vhdx", "", "", false, Map.of());
      case ParallelsImage p -> foreign(p, "parallels", "", "", false, Map.of());
      default -> new ImageFacts(format.isEmpty() ? "raw" : format, 0, "", "", false, false, List.of(), Map.of());
    };
  }

  private static ImageFacts foreign(ForeignImage image, String format, String backing, String backingFormat,
      boolean dirty, Map<String, Object> specific) {
    return new ImageFacts(format, image.clusterSize(), backing, backing.isEmpty() ? "" : backingFormat, false, dirty,
        List.of(), specific);
  }

  private static Map<String, Object> qcow2(Qcow2Node node) throws BlockException {
    Map<String, Object> data = new LinkedHashMap<>();
    Qcow2Node.Info info = node.info();
    data.put("compat", info.version() == 2 ? "0.10" : "1.1");
    data.put("compression-type", info.zstd() ? "zstd" : "zlib");
    if (info.version() > 2) {
      data.put("lazy-refcounts", info.lazyRefcounts());
    }
    List<Object> bitmaps = new ArrayList<>();
    for (Bitmap bitmap : node.bitmaps().list()) {
      List<Object> flags = new ArrayList<>();
      if (bitmap.inconsistent()) {
        flags.add("in-use");
      }
      if (bitmap.enabled()) {
        flags.add("auto");
      }
      Map<String, Object> one = new LinkedHashMap<>();
      one.put("flags", flags);
      one.put("name", bitmap.name());
      one.put("granularity", bitmap.granularity());
      bitmaps.add(one);
    }
    if (!bitmaps.isEmpty()) {
      data.put("bitmaps", bitmaps);
    }
    data.put("refcount-bits", info.refcountBits());
    if (!info.dataFile().isEmpty()) {
      data.put("data-file", info.dataFile());
      data.put("data-file-raw", info.rawData());
    }
    if (node.encrypted()) {
      data.put("encrypt", LuksInfo.inQcow2(node));
    }
    if (info.version() > 2) {
      data.put("corrupt", info.corrupt());
      data.put("extended-l2", info.extendedL2());
    }
    return data;
  }

  private static Map<String, Object> vmdk(VmdkImage image) {
    Map<String, Object> data = new LinkedHashMap<>();
    data.put("cid", image.descriptor().cid());
    data.put("parent-cid", image.descriptor().parentCid());
    data.put("create-type", image.descriptor().createType());
    List<Object> extents = new ArrayList<>();
    for (VmdkImage.Part part : image.parts()) {
      Map<String, Object> one = new LinkedHashMap<>();
      if (part.compressed()) {
        one.put("compressed", true);
      }
      one.put("virtual-size", part.bytes());
      one.put("filename", part.file());
      if (part.grain() > 0) {
        one.put("cluster-size", part.grain());
      }
      one.put("format", part.type());
      extents.add(one);
    }
    data.put("extents", extents);
    return data;
  }
}
