package org.ascus.devices.fdt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class FdtTest {
  private static Fdt sample() {
    FdtNode root = new FdtNode("");
    root.setCells("#address-cells", 2).setStrings("compatible", "a,b", "c").setFlag("dma-coherent");
    FdtNode soc = root.addChild("soc");
    soc.setLongs("reg", 0x1_8000_0000L, 0x10).set("odd", new byte[] {1, 2, 3});
    soc.addChild("serial@10000000").setCells("phandle", 7).setCells("interrupts", 10);
    return new Fdt(root, List.of(new Fdt.Reservation(0x8000_0000L, 0x1000)), 3);
  }

  private static void same(FdtNode a, FdtNode b) {
    assertThat(a.name()).isEqualTo(b.name());
    assertThat(a.propertyNames()).isEqualTo(b.propertyNames());
    a.propertyNames().forEach(p -> assertThat(a.bytes(p).orElseThrow()).isEqualTo(b.bytes(p).orElseThrow()));
    assertThat(a.children()).hasSameSizeAs(b.children());
    for (int i = 0; i < a.children().size(); i++) {
      same(a.children().get(i), b.children().get(i));
    }
  }

  @Test
  void whatIsWrittenIsReadBack() throws FdtException {
    Fdt tree = FdtReader.read(FdtWriter.write(sample()));
    same(tree.root(), sample().root());
    assertThat(tree.reservations()).isEqualTo(sample().reservations());
    assertThat(tree.bootCpu()).isEqualTo(3);
  }

  @Test
  void headerNamesVersion17AndTheWholeSize() {
    byte[] blob = FdtWriter.write(sample());
    ByteBuffer header = ByteBuffer.wrap(blob);
    assertThat(header.getInt(0)).isEqualTo(0xd00dfeed);
    assertThat(header.getInt(4)).isEqualTo(blob.length);
    assertThat(header.getInt(20)).isEqualTo(17);
    assertThat(header.getInt(24)).isEqualTo(16);
  }

  @Test
  void valuesAreFoundByPath() {
    FdtNode root = sample().root();
    assertThat(root.find("/soc/serial@10000000").orElseThrow().cells("interrupts")).containsExactly(10);
    assertThat(root.strings("compatible")).containsExactly("a,b", "c");
    assertThat(root.find("/soc").orElseThrow().cells("reg")).containsExactly(1, 0x8000_0000, 0, 0x10);
    assertThat(root.find("/soc/nothing")).isEmpty();
    assertThat(root.find("/")).contains(root);
  }

  @Test
  void everyTruncationIsRefused() {
    byte[] blob = FdtWriter.write(sample());
    for (int length = 0; length < blob.length; length++) {
      byte[] cut = Arrays.copyOf(blob, length);
      assertThatThrownBy(() -> FdtReader.read(cut)).isInstanceOf(FdtException.class);
    }
  }

  @Test
  void damagedBlobsAreReadOrRefusedAndNothingElse() {
    Random random = new Random(1);
    byte[] blob = FdtWriter.write(sample());
    for (int i = 0; i < 20_000; i++) {
      byte[] damaged = blob.clone();
      for (int n = random.nextInt(4); n >= 0; n--) {
        int at = random.nextInt(damaged.length);
        damaged[at] = random.nextBoolean() ? (byte) random.nextInt() : (byte) (damaged[at] ^ 1 << random.nextInt(8));
      }
      try {
        FdtWriter.write(FdtReader.read(damaged));
      } catch (FdtException e) {
        assertThat(e.getMessage()).isNotBlank();
      }
    }
  }

  @Test
  void treesThatNestTooDeepAreRefused() {
    FdtNode root = new FdtNode("");
    FdtNode node = root;
    for (int i = 0; i < 1000; i++) {
      node = node.addChild("n");
    }
    byte[] blob = FdtWriter.write(Fdt.of(root));
    assertThatThrownBy(() -> FdtReader.read(blob)).isInstanceOf(FdtException.class).hasMessageContaining("deeper");
  }
}
