package org.ascus.devices.block.filter;

import java.nio.ByteBuffer;
import java.util.OptionalLong;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.DebugEvent;
import org.ascus.devices.block.Extent;

/** Hands everything on; a filter overrides what it changes. */
public abstract class FilterNode implements BlockNode {
  private final BlockNode node;

  protected FilterNode(BlockNode node) {
    this.node = node;
  }

  /** The node under the filter. */
  public final BlockNode below() {
    return node;
  }

  @Override
  public String name() {
    return node.name();
  }

  @Override
  public String format() {
    return node.format();
  }

  @Override
  public long size() {
    return node.size();
  }

  @Override
  public boolean readOnly() {
    return node.readOnly();
  }

  /** A node that grows when it is written behind its end does so through a filter too. */
  @Override
  public void checkRange(long offset, long length) throws BlockException {
    node.checkRange(offset, length);
  }

  @Override
  public void read(long offset, ByteBuffer target) throws BlockException {
    node.read(offset, target);
  }

  @Override
  public void write(long offset, ByteBuffer source) throws BlockException {
    node.write(offset, source);
  }

  @Override
  public void flush() throws BlockException {
    node.flush();
  }

  @Override
  public void discard(long offset, long length) throws BlockException {
    node.discard(offset, length);
  }

  @Override
  public void writeZeroes(long offset, long length, boolean mayUnmap) throws BlockException {
    node.writeZeroes(offset, length, mayUnmap);
  }

  @Override
  public Extent extent(long offset, long length) throws BlockException {
    return node.extent(offset, length);
  }

  @Override
  public boolean allocate(long offset, long length) throws BlockException {
    return node.allocate(offset, length);
  }

  @Override
  public void event(DebugEvent event) {
    node.event(event);
  }

  @Override
  public OptionalLong allocatedBytes() {
    return node.allocatedBytes();
  }

  @Override
  public void resize(long bytes) throws BlockException {
    node.resize(bytes);
  }

  @Override
  public void close() throws BlockException {
    node.close();
  }
}
