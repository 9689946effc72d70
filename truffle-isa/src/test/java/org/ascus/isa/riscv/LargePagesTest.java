package org.ascus.isa.riscv;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LargePagesTest {
  private static final long MEGABYTE = 1 << 20;

  private final LargePages pages = new LargePages();

  @Test
  void whatIsFarFromLargePagesIsNotTheirs() {
    long text = 0xffffffff80000000L;
    long memory = 0xffffaf8000000000L;
    for (int i = 0; i < 400; i++) {
      pages.add(memory + 2 * MEGABYTE * i, 2 * MEGABYTE);
      pages.add(text + 2 * MEGABYTE * (i % 16), 2 * MEGABYTE);
    }
    assertThat(pages.contains(memory + 799 * MEGABYTE)).isTrue();
    assertThat(pages.contains(text + 31 * MEGABYTE)).isTrue();
    assertThat(pages.contains(0xffffffc600000000L)).isFalse();
    assertThat(pages.contains(text - 4096)).isFalse();
    assertThat(pages.contains(0x10000)).isFalse();
    pages.clear();
    assertThat(pages.contains(text)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void everyAddressOfALargePageIsFound(long seed) {
    Random random = new Random(seed);
    List<long[]> added = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      long size = 1L << (random.nextBoolean() ? 16 : 12 + 9 * (1 + random.nextInt(3)));
      long va = random.nextLong() >> random.nextInt(40);
      pages.add(va, size);
      added.add(new long[] {va & -size, size});
      long[] page = added.get(random.nextInt(added.size()));
      assertThat(pages.contains(page[0])).isTrue();
      assertThat(pages.contains(page[0] + random.nextLong(page[1]))).isTrue();
    }
  }
}
