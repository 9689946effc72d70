package org.ascus.machine.bus;

/** A window of {@code size} bytes onto {@code target}, from {@code offset} on. */
public record AliasRegion(String name, Region target, long offset, long size) implements Region {
  public AliasRegion {
    if (offset < 0 || size <= 0 || offset > target.size() - size) {
      throw new IllegalArgumentException("alias " + name + " leaves " + target.name());
    }
  }
}
