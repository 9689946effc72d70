package org.ascus.devices.block.crypto;

import java.util.Arrays;
import java.util.concurrent.ConcurrentLinkedDeque;

/** The sector ciphers of one key: as many as threads that use them at once. */
public final class SectorCiphers {
  private final CipherSpec spec;
  private final byte[] key;
  private final ConcurrentLinkedDeque<SectorCipher> idle = new ConcurrentLinkedDeque<>();

  SectorCiphers(CipherSpec spec, byte[] key) {
    this.spec = spec;
    this.key = key.clone();
  }

  /** Legacy qcow2 encryption: AES-128-CBC with at most 16 bytes of the password itself as key. */
  public static SectorCiphers qcow(byte[] password) {
    return new SectorCiphers(CipherSpec.QCOW, Arrays.copyOf(password, CipherSpec.QCOW.keyBytes()));
  }

  private interface Body {
    void run(SectorCipher cipher);
  }

  private void use(Body body) {
    SectorCipher cipher = idle.pollFirst();
    if (cipher == null) {
      cipher = new SectorCipher(spec, key);
    }
    body.run(cipher);
    idle.addFirst(cipher);
  }

  /** Encrypts whole sectors, the first of which has this number, in place. */
  public void encrypt(long sector, byte[] bytes, int offset, int length) {
    use(c -> c.encrypt(sector, bytes, offset, length));
  }

  /** Decrypts whole sectors in place. */
  public void decrypt(long sector, byte[] bytes, int offset, int length) {
    use(c -> c.decrypt(sector, bytes, offset, length));
  }
}
