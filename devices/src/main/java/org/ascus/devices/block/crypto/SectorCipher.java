package org.ascus.devices.block.crypto;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Encrypts sectors of {@value #SECTOR} bytes in place, each for itself, with an initialization vector that comes from
 * its number. For one thread at a time. Long runs go to the block cipher in one call, since that is where the JDK's AES
 * is fast.
 */
final class SectorCipher {
  /** Bytes per sector. */
  static final int SECTOR = 512;

  private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  /** Feedback of the polynomial x^128 + x^7 + x^2 + x + 1 (IEEE 1619, 5.2). */
  private static final long XTS_FEEDBACK = 0x87;

  /** Most sectors that go to the block cipher at once. */
  private static final int BATCH = 32;

  private final CipherSpec spec;
  private final int block;
  private final CipherAlgorithm.Engine data;
  private final CipherAlgorithm.Engine tweak;
  private final CipherAlgorithm.Engine essiv;
  private final byte[] vectors;
  private final byte[] masks = new byte[BATCH * SECTOR];
  private final byte[] vector;

  /** @param key of the size that the mode needs */
  SectorCipher(CipherSpec spec, byte[] key) {
    this.spec = spec;
    this.block = spec.cipher().blockBytes();
    int half = spec.cipher().keyBytes();
    this.data = spec.cipher().engine(Arrays.copyOf(key, half));
    this.tweak =
        spec.mode() == CipherMode.XTS ? spec.cipher().engine(Arrays.copyOfRange(key, half, 2 * half)) : null;
    this.essiv = spec.iv() == IvAlgorithm.ESSIV
        ? spec.essivCipher().engine(spec.ivHash().orElseThrow().digest().digest(key)) : null;
    this.vectors = new byte[BATCH * block];
    this.vector = new byte[block];
  }

  void encrypt(long sector, byte[] bytes, int offset, int length) {
    for (int done = 0; done < length; done += BATCH * SECTOR) {
      batch(true, sector + done / SECTOR, bytes, offset + done, Math.min(BATCH * SECTOR, length - done));
    }
  }

  void decrypt(long sector, byte[] bytes, int offset, int length) {
    for (int done = 0; done < length; done += BATCH * SECTOR) {
      batch(false, sector + done / SECTOR, bytes, offset + done, Math.min(BATCH * SECTOR, length - done));
    }
  }

  private void batch(boolean encrypt, long sector, byte[] bytes, int offset, int length) {
    if (spec.mode() != CipherMode.ECB) {
      makeVectors(sector, length / SECTOR);
    }
    switch (spec.mode()) {
      case XTS -> {
        makeXtsMasks(length / SECTOR);
        mask(bytes, offset, length);
        raw(encrypt, bytes, offset, length);
        mask(bytes, offset, length);
      }
      case CTR -> {
        makeCounters(length / SECTOR);
        data.encrypt(masks, 0, length);
        mask(bytes, offset, length);
      }
      case CBC -> chain(encrypt, bytes, offset, length);
      case ECB -> raw(encrypt, bytes, offset, length);
    }
  }

  private void raw(boolean encrypt, byte[] bytes, int offset, int length) {
    if (encrypt) {
      data.encrypt(bytes, offset, length);
    } else {
      data.decrypt(bytes, offset, length);
    }
  }

  private void makeVectors(long sector, int count) {
    Arrays.fill(vectors, (byte) 0);
    for (int i = 0; i < count; i++) {
      long number = sector + i;
      LONGS.set(vectors, i * block, spec.iv() == IvAlgorithm.PLAIN ? number & 0xffff_ffffL : number);
    }
    if (essiv != null) {
      essiv.encrypt(vectors, 0, count * block);
    }
  }

  private void makeXtsMasks(int count) {
    tweak.encrypt(vectors, 0, count * block);
    int at = 0;
    for (int i = 0; i < count; i++) {
      long low = (long) LONGS.get(vectors, i * block);
      long high = (long) LONGS.get(vectors, i * block + Long.BYTES);
      for (int b = 0; b < SECTOR; b += block) {
        LONGS.set(masks, at, low);
        LONGS.set(masks, at + Long.BYTES, high);
        at += block;
        long carry = high >> 63 & XTS_FEEDBACK;
        high = high << 1 | low >>> 63;
        low = low << 1 ^ carry;
      }
    }
  }

  /** Counters are big-endian over the whole block. */
  private void makeCounters(int count) {
    int at = 0;
    for (int i = 0; i < count; i++) {
      System.arraycopy(vectors, i * block, vector, 0, block);
      for (int b = 0; b < SECTOR; b += block) {
        System.arraycopy(vector, 0, masks, at, block);
        at += block;
        int digit = block - 1;
        while (digit >= 0 && ++vector[digit] == 0) {
          digit--;
        }
      }
    }
  }

  private void mask(byte[] bytes, int offset, int length) {
    for (int i = 0; i < length; i += Long.BYTES) {
      LONGS.set(bytes, offset + i, (long) LONGS.get(bytes, offset + i) ^ (long) LONGS.get(masks, i));
    }
  }

  private void chain(boolean encrypt, byte[] bytes, int offset, int length) {
    if (encrypt) {
      for (int i = 0; i < length / SECTOR; i++) {
        System.arraycopy(vectors, i * block, vector, 0, block);
        data.encryptChained(vector, bytes, offset + i * SECTOR, SECTOR);
      }
      return;
    }
    for (int i = 0; i < length / SECTOR; i++) {
      System.arraycopy(vectors, i * block, masks, i * SECTOR, block);
      System.arraycopy(bytes, offset + i * SECTOR, masks, i * SECTOR + block, SECTOR - block);
    }
    data.decrypt(bytes, offset, length);
    mask(bytes, offset, length);
  }
}
