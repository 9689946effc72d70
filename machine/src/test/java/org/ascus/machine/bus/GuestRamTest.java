package org.ascus.machine.bus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class GuestRamTest {
  private final GuestRam ram = new GuestRam("ram", 0x4000);

  @Test
  void everyAccessOutsideTheBlockIsRefused() {
    byte[] bytes = new byte[16];
    for (long bad : new long[] {-1, 0x3ffd, 0x4000, Long.MAX_VALUE, Long.MIN_VALUE, 1L << 32}) {
      assertThatThrownBy(() -> ram.get(bad, 4)).isInstanceOf(IndexOutOfBoundsException.class);
      assertThatThrownBy(() -> ram.put(bad, 4, 0)).isInstanceOf(IndexOutOfBoundsException.class);
      assertThatThrownBy(() -> ram.read(bad, bytes, 0, 16)).isInstanceOf(IndexOutOfBoundsException.class);
      assertThatThrownBy(() -> ram.write(bad, bytes, 0, 16)).isInstanceOf(IndexOutOfBoundsException.class);
      assertThatThrownBy(() -> ram.fill(bad, 16, (byte) 0)).isInstanceOf(IndexOutOfBoundsException.class);
      assertThatThrownBy(() -> ram.compareAndSetInt(bad, 0, 1)).isInstanceOf(IndexOutOfBoundsException.class);
      assertThatThrownBy(() -> ram.markCode(bad, 4)).isInstanceOf(IndexOutOfBoundsException.class);
    }
    assertThatThrownBy(() -> ram.read(0, bytes, 8, 9)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> ram.write(0, bytes, -1, 4)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> ram.fill(0, -1, (byte) 0)).isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void sizeIsRoundedUpToPagesAndContentsAreZero() {
    GuestRam odd = new GuestRam("odd", 5000);
    assertThat(odd.size()).isEqualTo(8192);
    assertThat(odd.getLong(8184)).isZero();
    odd.release();
    assertThatThrownBy(() -> new GuestRam("none", 0)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void discardedContentsReadAsZeroes() {
    ram.put(0x1000, 8, -1);
    ram.discard();
    assertThat(ram.getLong(0x1000)).isZero();
  }

  @Test
  void writesToTranslatedBytesAreReportedAndOthersAreNot() {
    List<String> reports = new ArrayList<>();
    ram.setCodeListener((block, offset, length) -> reports.add(offset + "+" + length));
    ram.markCode(0x1040, 64);
    ram.put(0x1000, 8, 1);
    ram.put(0x1080, 8, 1);
    ram.put(0x2040, 8, 1);
    assertThat(reports).isEmpty();
    ram.put(0x1078, 8, 1);
    assertThat(reports).hasSize(1);
    ram.write(0xf00, new byte[0x400], 0, 0x400);
    ram.fill(0x1000, 0x1000, (byte) 0);
    ram.compareAndSetLong(0x1040, 0, 1);
    assertThat(reports).hasSize(4);
    ram.clearCode(0x1fff);
    ram.put(0x1040, 8, 2);
    assertThat(reports).hasSize(4);
  }
}
