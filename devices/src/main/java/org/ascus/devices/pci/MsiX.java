package org.ascus.devices.pci;

import java.util.function.BiConsumer;
import org.ascus.machine.bus.BusDevice;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;

/**
 * Message-signalled interrupts (PCI Local Bus 3.0, section 6.8.2): the capability, and a region of 4 KiB with the
 * table (16 bytes a vector: address 64, data 32, control 32, whose bit 0 masks) at 0 and the pending bits at 0x800.
 * A vector that is masked when it is raised is sent when it is unmasked.
 */
public final class MsiX implements BusDevice {
  /** Bytes of the region. */
  public static final int REGION_SIZE = 0x1000;

  /** No vector. */
  public static final int NONE = 0xffff;

  /** Most vectors that the table has room for. */
  public static final int MAX_VECTORS = 128;

  private static final int PENDING_OFFSET = 0x800;
  private static final int CAPABILITY = 0x11;
  private static final int LENGTH = 12;
  private static final int ENABLE = 1 << 15;
  private static final int MASK_ALL = 1 << 14;
  private static final int ENTRY = 16;
  private static final AccessSizes SIZES = new AccessSizes(1, 8, false);

  private final PciConfig config;
  private final int offset;
  private final int vectors;
  private final BiConsumer<Long, Integer> send;
  private final byte[] table;
  private final long[] pending;
  private volatile boolean enabled;
  private boolean maskedAll;

  /**
   * Adds the capability to {@code config}.
   *
   * @param vectors 1 to {@value #MAX_VECTORS}
   * @param bar number of the base address register that places the region
   * @param send takes address and data of a message
   */
  public MsiX(PciConfig config, int vectors, int bar, BiConsumer<Long, Integer> send) {
    if (vectors < 1 || vectors > MAX_VECTORS) {
      throw new IllegalArgumentException(vectors + " vectors");
    }
    this.config = config;
    this.vectors = vectors;
    this.send = send;
    table = new byte[vectors * ENTRY];
    pending = new long[(vectors + 63) / 64];
    offset = config.addCapability(CAPABILITY, LENGTH);
    config.init(offset + 2, 2, vectors - 1);
    config.setWritable(offset + 2, 2, ENABLE | MASK_ALL);
    config.init(offset + 4, 4, bar);
    config.init(offset + 8, 4, PENDING_OFFSET | bar);
    maskTable();
  }

  private void maskTable() {
    for (int v = 0; v < vectors; v++) {
      table[v * ENTRY + 12] = 1;
    }
  }

  /** Vectors in the table. */
  public int vectors() {
    return vectors;
  }

  /** The driver chose messages instead of the pin. */
  public boolean isEnabled() {
    return enabled;
  }

  /** To be called when the configuration space has changed; sends what is no longer masked. */
  public synchronized void configChanged() {
    int control = (int) config.get(offset + 2, 2);
    enabled = (control & ENABLE) != 0;
    maskedAll = (control & MASK_ALL) != 0;
    for (int v = 0; v < vectors; v++) {
      sendPending(v);
    }
  }

  /** Sends the message of {@code vector}, which may be any number; none if it is not in the table. */
  public synchronized void raise(int vector) {
    if (vector >= 0 && vector < vectors && enabled) {
      pending[vector / 64] |= 1L << vector;
      sendPending(vector);
    }
  }

  private void sendPending(int vector) {
    boolean masked = maskedAll || (table[vector * ENTRY + 12] & 1) != 0;
    if (enabled && !masked && (pending[vector / 64] & 1L << vector) != 0) {
      pending[vector / 64] &= ~(1L << vector);
      send.accept(get(vector * ENTRY, 8), (int) get(vector * ENTRY + 8, 4));
    }
  }

  private long get(int at, int width) {
    long value = 0;
    for (int i = 0; i < width; i++) {
      value |= (table[at + i] & 0xffL) << (8 * i);
    }
    return value;
  }

  @Override
  public AccessSizes accessSizes() {
    return SIZES;
  }

  @Override
  public synchronized long read(long at, int width) {
    if (at + width <= table.length) {
      return get((int) at, width);
    }
    long index = at - PENDING_OFFSET;
    if (index >= 0 && index + width <= 8L * pending.length && index % width == 0) {
      return pending[(int) index / 8] >>> (8 * (index % 8));
    }
    return 0;
  }

  @Override
  public synchronized void write(long at, int width, long value) {
    if (at + width > table.length) {
      return;
    }
    for (int i = 0; i < width; i++) {
      table[(int) at + i] = (byte) (value >>> (8 * i));
    }
    sendPending((int) at / ENTRY);
  }

  /** Table and pending bits as after power-on. */
  public synchronized void reset() {
    java.util.Arrays.fill(table, (byte) 0);
    java.util.Arrays.fill(pending, 0);
    maskTable();
    enabled = false;
    maskedAll = false;
  }

  /** Writes table and pending bits. */
  public synchronized void save(StateWriter out) {
    out.putBytes("msix.table", table);
    out.putLongs("msix.pending", pending);
  }

  /** Reads what {@link #save} wrote; {@link #configChanged} must follow. */
  public synchronized void load(StateReader in) throws StateException {
    byte[] saved = in.getBytes("msix.table");
    if (saved.length != table.length) {
      throw new StateException("table of " + saved.length / ENTRY + " message vectors, not " + vectors);
    }
    long[] bits = in.getLongs("msix.pending", pending.length);
    System.arraycopy(saved, 0, table, 0, saved.length);
    System.arraycopy(bits, 0, pending, 0, bits.length);
  }
}
