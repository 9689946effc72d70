package org.ascus.devices.block.crypto;

import java.nio.ByteBuffer;
import java.util.Optional;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.Extent;

/** The {@code luks} format: a LUKS volume that is all of a file. */
public final class LuksNode implements BlockNode {
  private final LuksVolume volume;
  private final CryptNode payload;
  private final BlockNode file;
  private final long start;

  private LuksNode(BlockNode file, LuksVolume volume, Optional<SectorCiphers> ciphers) {
    this.volume = volume;
    this.file = file;
    this.start = volume.header().payloadOffset();
    this.payload = new CryptNode(file, start, ciphers);
  }

  /**
   * Opens a volume.
   *
   * @param file what holds it; the new node closes it, also when this fails
   * @param option the one that gives the key, for errors
   */
  public static LuksNode open(BlockNode file, ImageKey key, String option) throws BlockException {
    try {
      LuksVolume volume = LuksVolume.open(file, 0, file.size());
      return new LuksNode(file, volume, volume.ciphers(key, option));
    } catch (BlockException e) {
      closeBecause(e, file);
      throw e;
    }
  }

  /**
   * Makes a volume of {@code bytes} bytes, which read as noise until they are written.
   *
   * @param file growable; its bytes are lost
   */
  public static LuksNode create(BlockNode file, LuksOptions options, byte[] passphrase, long bytes)
      throws BlockException {
    try {
      file.resize(0);
      file.resize(LuksVolume.headerBytes(options) + bytes);
      LuksVolume volume = LuksVolume.create(file, 0, options, passphrase);
      return new LuksNode(file, volume, Optional.of(volume.ciphers(passphrase)));
    } catch (BlockException e) {
      closeBecause(e, file);
      throw e;
    }
  }

  private static void closeBecause(BlockException because, BlockNode file) {
    try {
      file.close();
    } catch (BlockException e) {
      because.addSuppressed(e);
    }
  }

  /** Header and keys. */
  public LuksVolume volume() {
    return volume;
  }

  @Override
  public String name() {
    return payload.name();
  }

  @Override
  public String format() {
    return "luks";
  }

  @Override
  public long size() {
    return Math.max(0, file.size() - start) / SectorCipher.SECTOR * SectorCipher.SECTOR;
  }

  @Override
  public boolean readOnly() {
    return payload.readOnly();
  }

  @Override
  public void read(long offset, ByteBuffer target) throws BlockException {
    checkRange(offset, target.remaining());
    payload.read(offset, target);
  }

  @Override
  public void write(long offset, ByteBuffer source) throws BlockException {
    checkRange(offset, source.remaining());
    payload.write(offset, source);
  }

  @Override
  public void flush() throws BlockException {
    payload.flush();
  }

  @Override
  public void discard(long offset, long length) throws BlockException {
    checkRange(offset, length);
    payload.discard(offset, length);
  }

  @Override
  public void writeZeroes(long offset, long length, boolean mayUnmap) throws BlockException {
    checkRange(offset, length);
    payload.writeZeroes(offset, length, mayUnmap);
  }

  @Override
  public Extent extent(long offset, long length) throws BlockException {
    checkRange(offset, length);
    return payload.extent(offset, length);
  }

  /** New bytes are zero in the file, so they read as noise, as with QEMU. */
  @Override
  public void resize(long bytes) throws BlockException {
    file.resize(start + bytes);
  }

  @Override
  public void close() throws BlockException {
    payload.close();
  }
}
