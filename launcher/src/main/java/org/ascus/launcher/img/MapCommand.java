package org.ascus.launcher.img;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.Extent;
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
      List<String> lines = new ArrayList<>();
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
        line(lines, json, at, extent, names);
        at = end;
      }
      if (json) {
        out.println("[" + String.join(",\n", lines) + "]");
      } else {
        out.printf("%-16s%-16s%-16s%s%n", "Offset", "Length", "Mapped to", "File");
        lines.forEach(out::println);
      }
    }
    return 0;
  }

  private static List<String> names(BlockNode top) {
    List<String> names = new ArrayList<>();
    BlockNode node = top;
    names.add(node.name());
    while (node instanceof Qcow2Node q && q.backing().isPresent()) {
      node = q.backing().get();
      names.add(node.name());
    }
    return names;
  }

  private static void line(List<String> lines, boolean json, long at, Extent extent, List<String> names)
      throws ImgException {
    if (json) {
      lines.add("{ \"start\": " + at + ", \"length\": " + extent.length() + ", \"depth\": " + extent.depth()
          + ", \"present\": " + extent.present() + ", \"zero\": " + extent.zero() + ", \"data\": " + extent.data()
          + (extent.offset().isPresent() ? ", \"offset\": " + extent.offset().getAsLong() : "") + "}");
    } else if (extent.data() && !extent.zero()) {
      if (extent.offset().isEmpty()) {
        throw new ImgException("File contains external, encrypted or compressed clusters.");
      }
      lines.add(String.format("%-16s%-16s%-16s%s", hex(at), hex(extent.length()), hex(extent.offset().getAsLong()),
          names.get(Math.min(extent.depth(), names.size() - 1))));
    }
  }

  private static String hex(long number) {
    return number == 0 ? "0" : "0x" + Long.toHexString(number);
  }
}
