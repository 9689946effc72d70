package org.ascus.devices.fdt;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A node of a device tree: properties and children, both in order. Mutable; for one thread at a time.
 *
 * <p>Cells are 32 bits wide and, like every number in a device tree, big-endian. Strings are UTF-8 and end in NUL.
 */
public final class FdtNode {
  private final String name;
  private final Map<String, byte[]> properties = new LinkedHashMap<>();
  private final List<FdtNode> children = new ArrayList<>();

  /**
   * @param name with its unit address, such as {@code serial@10000000}; empty for the root
   */
  public FdtNode(String name) {
    if (name.indexOf('/') >= 0 || name.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("node name " + name);
    }
    this.name = name;
  }

  public String name() {
    return name;
  }

  public List<FdtNode> children() {
    return List.copyOf(children);
  }

  /** Names of the properties, in order. */
  public List<String> propertyNames() {
    return List.copyOf(properties.keySet());
  }

  /** Appends a new child, even when there is one of the same name. */
  public FdtNode addChild(String childName) {
    FdtNode child = new FdtNode(childName);
    children.add(child);
    return child;
  }

  /** The first child of that name, which is made when there is none. */
  public FdtNode child(String childName) {
    return children.stream().filter(c -> c.name.equals(childName)).findFirst().orElseGet(() -> addChild(childName));
  }

  /** The node at {@code path} below this one, such as {@code soc/serial@10000000}; a leading slash is ignored. */
  public Optional<FdtNode> find(String path) {
    Optional<FdtNode> node = Optional.of(this);
    for (String part : path.split("/")) {
      if (!part.isEmpty()) {
        node = node.flatMap(n -> n.children.stream().filter(c -> c.name.equals(part)).findFirst());
      }
    }
    return node;
  }

  /** Sets a property to raw bytes. All setters replace an earlier value and return this node. */
  public FdtNode set(String property, byte[] value) {
    properties.put(property, value.clone());
    return this;
  }

  /** Sets a property with no value, which is true by being there. */
  public FdtNode setFlag(String property) {
    return set(property, new byte[0]);
  }

  public FdtNode setCells(String property, int... cells) {
    ByteBuffer value = ByteBuffer.allocate(4 * cells.length);
    for (int cell : cells) {
      value.putInt(cell);
    }
    return set(property, value.array());
  }

  /** Sets a property to numbers of 64 bits, two cells each, the high one first. */
  public FdtNode setLongs(String property, long... numbers) {
    ByteBuffer value = ByteBuffer.allocate(8 * numbers.length);
    for (long number : numbers) {
      value.putLong(number);
    }
    return set(property, value.array());
  }

  public FdtNode setStrings(String property, String... strings) {
    ByteArrayOutputStream value = new ByteArrayOutputStream();
    for (String string : strings) {
      value.writeBytes(string.getBytes(StandardCharsets.UTF_8));
      value.write(0);
    }
    return set(property, value.toByteArray());
  }

  public boolean has(String property) {
    return properties.containsKey(property);
  }

  public FdtNode remove(String property) {
    properties.remove(property);
    return this;
  }

  public Optional<byte[]> bytes(String property) {
    return Optional.ofNullable(properties.get(property)).map(byte[]::clone);
  }

  /** The whole cells of a property's value; empty when there is no such property. */
  public List<Integer> cells(String property) {
    List<Integer> cells = new ArrayList<>();
    ByteBuffer value = ByteBuffer.wrap(properties.getOrDefault(property, new byte[0]));
    while (value.remaining() >= 4) {
      cells.add(value.getInt());
    }
    return cells;
  }

  /** The strings of a property's value; empty when there is no such property. */
  public List<String> strings(String property) {
    byte[] value = properties.getOrDefault(property, new byte[0]);
    List<String> strings = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < value.length; i++) {
      if (value[i] == 0) {
        strings.add(new String(value, start, i - start, StandardCharsets.UTF_8));
        start = i + 1;
      }
    }
    if (start < value.length) {
      strings.add(new String(value, start, value.length - start, StandardCharsets.UTF_8));
    }
    return strings;
  }

  @Override
  public String toString() {
    return name.isEmpty() ? "/" : name;
  }
}
