package org.ascus.machine.bus;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A region made of other regions; where they overlap, the higher priority wins, then the one added last. */
public final class ContainerRegion implements Region {
  /** A region at an offset of its container. */
  public record Mapping(long offset, Region region, int priority) {}

  private final String name;
  private final long size;
  private final List<Mapping> mappings = new CopyOnWriteArrayList<>();

  public ContainerRegion(String name, long size) {
    this.name = name;
    this.size = size;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public long size() {
    return size;
  }

  public List<Mapping> mappings() {
    return List.copyOf(mappings);
  }

  void add(Mapping mapping) {
    mappings.add(mapping);
  }

  void remove(Region region) {
    mappings.removeIf(m -> m.region() == region);
  }
}
