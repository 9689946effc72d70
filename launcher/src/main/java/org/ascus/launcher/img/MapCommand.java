package org.ascus.launcher.img;

import java.io.PrintStream;
import java.util.List;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.Extent;
import org.ascus.devices.block.format.foreign.ForeignImage;
import org.ascus.devices.block.format.qcow2.Qcow2Node;

/** {@code ascus-img map}. */
final class MapCommand {
  private MapCommand() {}

  static int run(List<String> words, PrintStream out) throws ImgException, BlockException {
    Words w = new Words("map", words, "f:", "U", "output=", "image-opts", "force-share");
    boolean json = w.json();
    String name = w.files(1, "Expecting one image file name").getFirst();
    try (BlockNode node = new Images(w).source(name, w.get("f")).open()) {
      List<String> names = names(node);
      if (json) {
        out.print("[");
      } else {
        out.printf("%-16s%-16s%-16s%s%n", "Offset", "Length", "Mapped to", "File");
      }
      for (long at = 0; at < node.size(); ) {
        Extent extent = node.extent(at, node.size() - at);
        long end = at + extent.length();
        while (end < node.size()) {
          Extent next = node.extent(end, node.size() - end);
          if (!extent.continuedBy(next)) {
            break;
          }
          end += next.length();
          extent = extent.withLength(end - at);
        }
        String line = line(json, at, extent, file(node, at, extent, names));
        out.print(json && at > 0 ? ",\n" + line : line);
        at = end;
      }
      if (json) {
        out.println("]");
      }
    }
    return 0;
  }

  private static List<String> names(BlockNode top) {
    return ImageReport.chain(top).stream().map(MapCommand::dataName).toList();
  }

  private static String dataName(BlockNode node) {
    return node instanceof Qcow2Node q ? q.dataName() : node.name();
  }

  /** The file that has the bytes; images of several files know better than their own name. */
  private static String file(BlockNode node, long at, Extent extent, List<String> names) {
    return extent.depth() == 0 && node instanceof ForeignImage f ? f.fileAt(at)
        : names.get(Math.min(extent.depth(), names.size() - 1));
  }

  private static String line(boolean json, long at, Extent extent, String file)
      throws ImgException {
    if (json) {
      return "{ \"start\": " + at + ", \"length\": " + extent.length() + ", \"depth\": " + extent.depth()
          + ", \"present\": " + extent.present() + ", \"zero\": " + extent.zero() + ", \"data\": " + extent.data()
          + (extent.offset().isPresent() ? ", \"offset\": " + extent.offset().getAsLong() : "") + "}";
    }
    if (extent.data() && !extent.zero()) {
      if (extent.offset().isEmpty()) {
        throw new ImgException("File contains external, encrypted or compressed clusters.");
      }
      return String.format("%-16s%-16s%-16s%s%n", hex(at), hex(extent.length()), hex(extent.offset().getAsLong()),
          file);
    }
    return "";
  }

  private static String hex(long number) {
    return number == 0 ? "0" : "0x" + Long.toHexString(number);
  }
}
