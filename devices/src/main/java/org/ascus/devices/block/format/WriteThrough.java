package org.ascus.devices.block.format;

import java.nio.ByteBuffer;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.Extent;

/** {@code cache=writethrough} and {@code cache=directsync}: no write is done before it is on stable storage. */
public final class WriteThrough implements BlockNode {
  private final BlockNode node;

  /** @param node what is written; closed with this node */
  public WriteThrough(BlockNode node) {
    this.node = node;
  }

  BlockNode below() {
    return node;
  }

  @Override
  public String name() {
    return node.name();
  }

  @Override
  public long size() {
    return node.size();
  }

  @Override
  public boolean readOnly() {
    return node.readOnly();
  }

  @Override
  public boolean writeThrough() {
    return true;
  }

  @Override
  public void read(long offset, ByteBuffer target) throws BlockException {
    node.read(offset, target);
  }

  @Override
  public void write(long offset, ByteBuffer source) throws BlockException {
    node.write(offset, source);
    node.flush();
  }

  @Override
  public void flush() throws BlockException {
    node.flush();
  }

  @Override
  public void discard(long offset, long length) throws BlockException {
    node.discard(offset, length);
    node.flush();
  }

  @Override
  public void writeZeroes(long offset, long length, boolean mayUnmap) throws BlockException {
    node.writeZeroes(offset, length, mayUnmap);
    node.flush();
  }

  @Override
  public Extent extent(long offset, long length) throws BlockException {
    return node.extent(offset, length);
  }

  @Override
  public void resize(long bytes) throws BlockException {
    node.resize(bytes);
    node.flush();
  }

  @Override
  public void close() throws BlockException {
    node.close();
  }
}
