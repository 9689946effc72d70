package org.ascus.launcher.img;

import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.Extent;
import org.ascus.devices.block.format.ImageOptions;
import org.ascus.devices.block.format.foreign.ForeignImage;
import org.ascus.devices.block.format.foreign.QedImage;
import org.ascus.devices.block.format.foreign.VpcImage;
import org.ascus.devices.block.format.qcow2.CheckResult;
import org.ascus.devices.block.format.qcow2.Qcow2Check;
import org.ascus.devices.block.protocol.FileProtocol;

/** {@code ascus-img check}; its exit codes: 0 sound, 1 not checked, 2 corrupt, 3 leaky, 63 no such check. */
final class CheckCommand {
  private static final int CORRUPT = 2;
  private static final int LEAKY = 3;
  private static final int NOT_SUPPORTED = 63;
  private static final int SECTOR = 512;
  private static final int MAX_MESSAGES = 10_000;

  private CheckCommand() {}

  static int run(List<String> words, PrintStream out, PrintStream errors) throws ImgException, BlockException {
    Words w = new Words("check", words, "f:", "r:", "q", "U", "T:", "output=", "repair=", "image-opts",
        "force-share");
    boolean json = w.json();
    String name = w.files(1, "Expecting one image file name").getFirst();
    Qcow2Check.Repair repair = switch (w.get("r").or(() -> w.get("repair")).orElse("")) {
      case "" -> Qcow2Check.Repair.NONE;
      case "leaks" -> Qcow2Check.Repair.LEAKS;
      case "all" -> Qcow2Check.Repair.ALL;
      default -> throw new ImgException("-r/--repair must be used with leaks or all as argument");
    };
    ImageOptions image = new Images(w).source(name, w.get("f"));
    String format = image.format().isEmpty() ? image.probe() : image.format();
    CheckResult result;
    if (format.equals("qcow2")) {
      boolean readOnly = repair == Qcow2Check.Repair.NONE;
      try (BlockNode file = image.file().open(new FileProtocol.Options(readOnly, image.locking(), true))) {
        result = Qcow2Check.check(file, repair);
      }
    } else {
      try (BlockNode node = image.open()) {
        if (!(node instanceof ForeignImage other) || node instanceof VpcImage || repair != Qcow2Check.Repair.NONE) {
          errors.println("ascus-img: This image format does not support checks");
          return NOT_SUPPORTED;
        }
        result = check(other);
        if (other instanceof QedImage qed) {
          count(qed, result);
        }
      }
    }
    long corruptions = result.corruptions - result.corruptionsFixed;
    long leaks = result.leaks - result.leaksFixed;
    if (json) {
      out.println(Json.text(describe(name, format, result, corruptions, leaks)));
    } else if (!w.has("q")) {
      print(out, errors, result, corruptions, leaks);
    }
    return corruptions > 0 ? CORRUPT : leaks > 0 ? LEAKY : 0;
  }

  /** Whether everything that the image says to have is there. */
  private static CheckResult check(ForeignImage image) {
    CheckResult result = new CheckResult();
    for (long at = 0; at < image.size(); ) {
      long length = image.size() - at;
      try {
        length = image.checkPlace(at);
      } catch (BlockException e) {
        result.corruptions++;
        length = Math.min(length, Math.max(SECTOR, image.clusterSize()));
        if (result.messages.size() < MAX_MESSAGES) {
          result.messages.add("ERROR " + e.getMessage());
        }
      }
      at += length;
    }
    return result;
  }

  /** Counts the clusters that are in use, and those that do not follow the one before them in their table. */
  private static void count(QedImage image, CheckResult result) throws BlockException {
    int cluster = image.clusterSize();
    result.totalClusters = Math.ceilDiv(image.size(), cluster);
    long last = 0;
    for (long at = 0; at < image.size(); at += cluster) {
      Extent extent = image.extent(at, 1);
      if (at % image.tableSpan() == 0) {
        last = 0;
      }
      if (extent.depth() == 0 && extent.data()) {
        long place = extent.offset().orElse(0);
        result.allocatedClusters++;
        result.fragmentedClusters += last != 0 && last + cluster != place ? 1 : 0;
        last = place;
      }
    }
  }

  private static Map<String, Object> describe(
      String name, String format, CheckResult result, long corruptions, long leaks) {
    Map<String, Object> all = new LinkedHashMap<>();
    put(all, "image-end-offset", result.imageEnd);
    put(all, "total-clusters", result.totalClusters);
    all.put("check-errors", 0);
    put(all, "corruptions", corruptions);
    put(all, "corruptions-fixed", result.corruptionsFixed);
    put(all, "leaks", leaks);
    put(all, "leaks-fixed", result.leaksFixed);
    put(all, "fragmented-clusters", result.fragmentedClusters);
    put(all, "allocated-clusters", result.allocatedClusters);
    put(all, "compressed-clusters", result.compressedClusters);
    all.put("filename", name);
    all.put("format", format);
    return all;
  }

  private static void put(Map<String, Object> all, String key, long value) {
    if (value != 0) {
      all.put(key, value);
    }
  }

  private static void print(PrintStream out, PrintStream errors, CheckResult result, long corruptions, long leaks) {
    result.messages.forEach(errors::println);
    if (result.corruptionsFixed + result.leaksFixed > 0) {
      out.println("The following inconsistencies were found and repaired:\n\n    " + result.leaksFixed
          + " leaked clusters\n    " + result.corruptionsFixed + " corruptions\n\n"
          + "Double checking the fixed image now...");
    }
    if (corruptions + leaks == 0) {
      out.println("No errors were found on the image.");
    }
    if (corruptions > 0) {
      out.println("\n" + corruptions + " errors were found on the image.\n"
          + "Data may be corrupted, or further writes to the image may corrupt it.");
    }
    if (leaks > 0) {
      out.println("\n" + leaks + " leaked clusters were found on the image.\n"
          + "This means waste of disk space, but no harm to data.");
    }
    if (result.totalClusters > 0 && result.allocatedClusters > 0) {
      double part = 100.0 / Math.max(1, result.allocatedClusters);
      out.printf(Locale.ROOT, "%d/%d = %.2f%% allocated, %.2f%% fragmented, %.2f%% compressed clusters%n",
          result.allocatedClusters, result.totalClusters, 100.0 * result.allocatedClusters / result.totalClusters,
          result.fragmentedClusters * part, result.compressedClusters * part);
    }
    if (result.imageEnd > 0) {
      out.println("Image end offset: " + result.imageEnd);
    }
  }
}
