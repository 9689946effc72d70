package org.ascus.devices.block.crypto;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;

/**
 * The header and keys of a LUKS volume, which lie in a part of a node. Not thread-safe; changes of the keys are durable
 * when a method returns.
 */
public final class LuksVolume {
  private final BlockNode node;
  private final long offset;
  private LuksHeader header;

  private LuksVolume(BlockNode node, long offset, LuksHeader header) {
    this.node = node;
    this.offset = offset;
    this.header = header;
  }

  /**
   * Reads the header.
   *
   * @param node what holds the volume; stays the caller's
   * @param offset where the header begins
   * @param limit bytes that are the header's and the keys'
   */
  public static LuksVolume open(BlockNode node, long offset, long limit) throws BlockException {
    return new LuksVolume(node, offset, LuksHeader.read(node, offset, limit));
  }

  /** Bytes of header and keys of a new volume. */
  public static long headerBytes(LuksOptions options) {
    return LuksHeader.empty(options.spec(), options.hash(), new byte[0], new byte[0], 0, "").payloadOffset();
  }

  /**
   * Makes a volume with one key; the payload is left as it is.
   *
   * @param node has room for {@link #headerBytes} at {@code offset}
   */
  public static LuksVolume create(BlockNode node, long offset, LuksOptions options, byte[] passphrase)
      throws BlockException {
    SecureRandom random = new SecureRandom();
    byte[] master = new byte[options.spec().keyBytes()];
    random.nextBytes(master);
    byte[] salt = new byte[LuksHeader.SALT_BYTES];
    random.nextBytes(salt);
    // QEMU spends an eighth of the time on the digest.
    long iterations = Pbkdf2.iterations(options.hash(), LuksHeader.DIGEST_BYTES, options.iterationMillis()) / 8;
    iterations = Math.max(1000, iterations);
    byte[] digest = Pbkdf2.derive(options.hash(), master, salt, iterations, LuksHeader.DIGEST_BYTES);
    LuksHeader empty = LuksHeader.empty(
        options.spec(), options.hash(), digest, salt, iterations, UUID.randomUUID().toString());
    node.writeZeroes(offset, empty.payloadOffset(), false);
    LuksVolume volume = new LuksVolume(node, offset, empty);
    volume.setKey(0, master, passphrase, options.iterationMillis());
    return volume;
  }

  public LuksHeader header() {
    return header;
  }

  /** The ciphers of the payload. */
  public SectorCiphers ciphers(byte[] passphrase) throws BlockException {
    return new SectorCiphers(header.spec(), masterKey(passphrase));
  }

  /** As {@link #ciphers(byte[])}, or none if the image's key is not needed. */
  public Optional<SectorCiphers> ciphers(ImageKey key, String option) throws BlockException {
    Optional<byte[]> passphrase = key.passphrase(node.name(), option);
    return passphrase.isPresent() ? Optional.of(ciphers(passphrase.get())) : Optional.empty();
  }

  private byte[] masterKey(byte[] passphrase) throws BlockException {
    for (int i = 0; i < LuksHeader.SLOTS; i++) {
      Optional<byte[]> key = header.slots().get(i).active() ? tryKey(i, passphrase) : Optional.empty();
      if (key.isPresent()) {
        return key.get();
      }
    }
    throw new BlockException("Could not open '" + node.name() + "': Invalid password, cannot unlock any keyslot");
  }

  private Optional<byte[]> tryKey(int index, byte[] passphrase) throws BlockException {
    LuksHeader.Slot slot = header.slots().get(index);
    byte[] material = new byte[header.materialBytes()];
    node.read(offset + slot.material() * SectorCipher.SECTOR, ByteBuffer.wrap(material));
    byte[] slotKey =
        Pbkdf2.derive(header.hash(), passphrase, slot.salt(), slot.iterations(), header.spec().keyBytes());
    crypt(false, slotKey, material);
    byte[] master = AntiForensic.merge(material, slot.stripes(), header.hash());
    byte[] digest = Pbkdf2.derive(
        header.hash(), master, header.digestSalt(), header.digestIterations(), LuksHeader.DIGEST_BYTES);
    return MessageDigest.isEqual(digest, header.digest()) ? Optional.of(master) : Optional.empty();
  }

  /** The material's last sector may be a part of one. */
  private void crypt(boolean encrypt, byte[] slotKey, byte[] material) throws BlockException {
    if (material.length % SectorCipher.SECTOR != 0) {
      throw new BlockException("'" + node.name() + "': a key of " + header.spec().keyBytes()
          + " bytes does not fill whole sectors, which is not supported");
    }
    SectorCipher cipher = new SectorCipher(header.spec(), slotKey);
    if (encrypt) {
      cipher.encrypt(0, material, 0, material.length);
    } else {
      cipher.decrypt(0, material, 0, material.length);
    }
  }

  /**
   * Gives the volume one more key.
   *
   * @param slot where; the first free one if empty
   * @param passphrase of a key that it has
   * @param millis time that the derivation of the new key takes
   */
  public void addKey(Optional<Integer> slot, byte[] passphrase, byte[] added, long millis) throws BlockException {
    byte[] master = masterKey(passphrase);
    int index = slot.or(header::freeSlot)
        .orElseThrow(() -> new BlockException("Can't add a keyslot - all keyslots are in use"));
    if (header.slots().get(checked(index)).active()) {
      throw new BlockException("Refusing to overwrite active keyslot " + index + " - please erase it first");
    }
    setKey(index, master, added, millis);
  }

  private static int checked(int slot) throws BlockException {
    if (slot < 0 || slot >= LuksHeader.SLOTS) {
      throw new BlockException("Invalid keyslot " + slot + " specified, must be between 0 and "
          + (LuksHeader.SLOTS - 1));
    }
    return slot;
  }

  /** Forgets the key in a slot; never the last one. */
  public void eraseKey(int slot) throws BlockException {
    if (header.slots().get(checked(slot)).active()) {
      erase(List.of(slot));
    }
  }

  /** Forgets all keys of a passphrase; never the last one. */
  public void eraseKeys(byte[] passphrase) throws BlockException {
    List<Integer> found = new ArrayList<>();
    for (int i = 0; i < LuksHeader.SLOTS; i++) {
      if (header.slots().get(i).active() && tryKey(i, passphrase).isPresent()) {
        found.add(i);
      }
    }
    if (found.isEmpty()) {
      throw new BlockException("No keyslots match given (old) password for erase operation");
    }
    erase(found);
  }

  private void erase(List<Integer> slots) throws BlockException {
    long active = header.slots().stream().filter(LuksHeader.Slot::active).count();
    if (slots.size() >= active) {
      throw new BlockException("All the active keyslots match the (old) password that was given and erasing them will "
          + "erase all the data in the image irreversibly - refusing operation");
    }
    SecureRandom random = new SecureRandom();
    for (int slot : slots) {
      LuksHeader.Slot old = header.slots().get(slot);
      writeHeader(header.withSlot(
          slot, new LuksHeader.Slot(false, 0, new byte[LuksHeader.SALT_BYTES], old.material(), old.stripes())));
      byte[] noise = new byte[header.materialBytes()];
      random.nextBytes(noise);
      node.write(offset + old.material() * SectorCipher.SECTOR, ByteBuffer.wrap(noise));
      node.flush();
    }
  }

  private void setKey(int index, byte[] master, byte[] passphrase, long millis) throws BlockException {
    SecureRandom random = new SecureRandom();
    byte[] salt = new byte[LuksHeader.SALT_BYTES];
    random.nextBytes(salt);
    int size = header.spec().keyBytes();
    long iterations = Pbkdf2.iterations(header.hash(), size, millis);
    byte[] slotKey = Pbkdf2.derive(header.hash(), passphrase, salt, iterations, size);
    byte[] material = AntiForensic.split(master, LuksHeader.STRIPES, header.hash(), random);
    crypt(true, slotKey, material);
    LuksHeader.Slot old = header.slots().get(index);
    node.write(offset + old.material() * SectorCipher.SECTOR, ByteBuffer.wrap(material));
    node.flush();
    writeHeader(header.withSlot(
        index, new LuksHeader.Slot(true, iterations, salt, old.material(), old.stripes())));
    Arrays.fill(slotKey, (byte) 0);
  }

  private void writeHeader(LuksHeader changed) throws BlockException {
    node.write(offset, changed.toBytes());
    node.flush();
    header = changed;
  }
}
