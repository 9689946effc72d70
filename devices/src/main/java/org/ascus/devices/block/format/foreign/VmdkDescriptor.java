package org.ascus.devices.block.format.foreign;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The text that describes a VMware disk (VMware Virtual Disk Format 5.0, "The Descriptor File").
 *
 * @param cid identifies the content; changes with the first write
 * @param parentCid the one that the parent must have, all ones without a parent
 * @param parent name of the parent's file, or empty
 */
public record VmdkDescriptor(long cid, long parentCid, String createType, String parent, List<Line> extents) {
  /** A part of the disk: so many sectors from a sector of a file on. */
  record Line(long sectors, String type, String file, long offset) {}

  static final long NO_PARENT = 0xffff_ffffL;
  private static final Pattern EXTENT =
      Pattern.compile("^RW\\s+(\\d{1,15})\\s+(\\w+)(?:\\s+\"([^\"]*)\"(?:\\s+(\\d{1,15}))?)?\\s*$");
  private static final Pattern VALUE = Pattern.compile("^\\s*(\\w+)\\s*=\\s*\"?([^\"]*?)\"?\\s*$");
  private static final int MAX_EXTENTS = 4096;

  static VmdkDescriptor parse(byte[] bytes) {
    int end = 0;
    while (end < bytes.length && bytes[end] != 0) {
      end++;
    }
    Map<String, String> values = new HashMap<>();
    List<Line> extents = new ArrayList<>();
    for (String line : new String(bytes, 0, end, StandardCharsets.UTF_8).split("\r?\n")) {
      Matcher extent = EXTENT.matcher(line);
      Matcher value = VALUE.matcher(line);
      if (extent.matches() && extents.size() < MAX_EXTENTS) {
        String file = extent.group(3) == null ? "" : extent.group(3);
        long offset = extent.group(4) == null ? 0 : Long.parseLong(extent.group(4));
        extents.add(new Line(Long.parseLong(extent.group(1)), extent.group(2), file, offset));
      } else if (value.matches()) {
        values.putIfAbsent(value.group(1), value.group(2));
      }
    }
    return new VmdkDescriptor(number(values, "CID"), number(values, "parentCID"),
        values.getOrDefault("createType", ""), values.getOrDefault("parentFileNameHint", ""), List.copyOf(extents));
  }

  private static long number(Map<String, String> values, String name) {
    String text = values.getOrDefault(name, "");
    return text.matches("[0-9a-fA-F]{1,8}") ? Long.parseLong(text, 16) : NO_PARENT;
  }
}
