package org.ascus.launcher.img;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.ascus.devices.block.crypto.CipherSpec;
import org.ascus.devices.block.crypto.IvAlgorithm;
import org.ascus.devices.block.crypto.LuksHeader;
import org.ascus.devices.block.format.qcow2.Qcow2Node;

/** What {@code ascus-img info} tells of an encrypted image, in qemu-img's order. */
record LuksInfo(Map<String, Object> data) {
  private static final int SECTOR = 512;

  static LuksInfo of(LuksHeader header) {
    return of(header, false);
  }

  private static LuksInfo of(LuksHeader header, boolean inQcow2) {
    Map<String, Object> data = new LinkedHashMap<>();
    CipherSpec spec = header.spec();
    data.put("ivgen-alg", spec.iv().text());
    data.put("hash-alg", header.hash().text());
    data.put("cipher-alg", spec.cipher().text());
    data.put("uuid", header.uuid());
    spec.ivHash().filter(_ -> spec.iv() == IvAlgorithm.ESSIV)
        .ifPresent(hash -> data.put("ivgen-hash-alg", hash.text()));
    if (inQcow2) {
      data.put("format", "luks");
    }
    data.put("cipher-mode", spec.mode().text());
    List<Object> slots = new ArrayList<>();
    for (LuksHeader.Slot slot : header.slots()) {
      Map<String, Object> one = new LinkedHashMap<>();
      one.put("active", slot.active());
      if (slot.active()) {
        one.put("iters", slot.iterations());
      }
      one.put("key-offset", slot.material() * SECTOR);
      if (slot.active()) {
        one.put("stripes", slot.stripes());
      }
      slots.add(one);
    }
    data.put("slots", slots);
    data.put("payload-offset", header.payloadOffset());
    data.put("master-key-iters", header.digestIterations());
    return new LuksInfo(data);
  }

  static Map<String, Object> inQcow2(Qcow2Node node) {
    return node.luks().map(volume -> of(volume.header(), true).data()).orElse(Map.of("format", "aes"));
  }
}
