package org.ascus.devices.block.format.qcow2;

import java.nio.ByteBuffer;
import java.util.Optional;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.crypto.CryptNode;
import org.ascus.devices.block.crypto.ImageKey;
import org.ascus.devices.block.crypto.LuksOptions;
import org.ascus.devices.block.crypto.LuksVolume;
import org.ascus.devices.block.crypto.SectorCiphers;

/**
 * How an image's data clusters are encrypted (docs/interop/qcow2, "Full disk encryption header pointer" and "Data
 * encryption").
 *
 * @param data where data clusters are read and written
 * @param byGuestSector decrypts what {@code data} gives, by where the guest has it (legacy AES)
 * @param luks the volume, if it is one
 */
record Encryption(BlockNode data, Optional<SectorCiphers> byGuestSector, Optional<LuksVolume> luks) {
  private static final String OPTION = "encrypt.key-secret";

  /** Where the file has the LUKS header and keys. */
  record Place(long offset, long length) {}

  static Place place(ImageFile file, Header header) throws BlockException {
    for (Extension extension : header.others) {
      if (extension.type() == Extension.ENCRYPTION) {
        if (extension.data().length != 2 * Long.BYTES) {
          throw file.failure("CRYPTO header extension size " + extension.data().length + ", but expected size 16");
        }
        ByteBuffer in = ByteBuffer.wrap(extension.data());
        Place place = new Place(in.getLong(), in.getLong());
        if (place.offset % header.clusterSize() != 0) {
          throw file.failure("Encryption header offset '" + Long.toUnsignedString(place.offset)
              + "' is not a multiple of cluster size '" + header.clusterSize() + "'");
        }
        if (place.offset <= 0 || place.length < 0 || place.length > file.size()
            || place.offset > file.size() - place.length) {
          throw file.corrupt("the encryption header is outside the file");
        }
        return place;
      }
    }
    throw file.failure("LUKS encryption header pointer missing");
  }

  /** Whatever {@code header} says about the clusters in {@code data}. */
  static Encryption open(ImageFile file, Header header, BlockNode data, ImageKey key) throws BlockException {
    return switch (header.crypt) {
      case Header.CRYPT_LUKS -> {
        Place place = place(file, header);
        LuksVolume volume = LuksVolume.open(file.node(), place.offset(), place.length());
        CryptNode node = new CryptNode(data, 0, volume.ciphers(key, OPTION));
        yield new Encryption(node, Optional.empty(), Optional.of(volume));
      }
      case Header.CRYPT_AES -> {
        if (!file.node().readOnly()) {
          throw file.failure("AES-CBC encrypted qcow2 images are only read, not written: convert it to LUKS");
        }
        // Nothing is read without the key when it is not needed; then any will do.
        byte[] password = key.passphrase(file.node().name(), OPTION).orElse(new byte[0]);
        yield new Encryption(data, Optional.of(SectorCiphers.qcow(password)), Optional.empty());
      }
      default -> new Encryption(data, Optional.empty(), Optional.empty());
    };
  }

  /** Makes a new image without data, which nobody has open, an encrypted one. */
  static void create(BlockNode node, LuksOptions options, byte[] passphrase) throws BlockException {
    ImageFile file = new ImageFile(node);
    Header header = Header.read(file);
    Metadata meta = new Metadata(file, header, node, Qcow2Tuning.plain(header));
    meta.begin();
    long length = LuksVolume.headerBytes(options);
    long offset = meta.refcounts.allocate((int) Math.ceilDiv(length, (long) header.clusterSize()));
    LuksVolume.create(node, offset, options, passphrase);
    meta.finish();
    header.crypt = Header.CRYPT_LUKS;
    header.others.add(new Extension(
        Extension.ENCRYPTION, ByteBuffer.allocate(2 * Long.BYTES).putLong(offset).putLong(length).array()));
    header.writeAll(file);
    node.flush();
  }
}
