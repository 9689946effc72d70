package org.ascus.machine.bus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import org.ascus.machine.trace.Log;
import org.junit.jupiter.api.Test;

class AddressSpaceTest {
  private final AddressSpace space = new AddressSpace("test", Log.off());

  /** Remembers accesses; reads give the offset in each byte. */
  private static final class Recorder implements BusDevice {
    private final List<String> accesses = new ArrayList<>();
    private final AccessSizes sizes;

    Recorder(AccessSizes sizes) {
      this.sizes = sizes;
    }

    @Override
    public AccessSizes accessSizes() {
      return sizes;
    }

    @Override
    public long read(long offset, int width) {
      accesses.add("r" + width + "@" + offset);
      long value = 0;
      for (int i = width - 1; i >= 0; i--) {
        value = value << 8 | (offset + i & 0xff);
      }
      return value;
    }

    @Override
    public void write(long offset, int width, long value) {
      accesses.add("w" + width + "@" + offset + "=" + Long.toHexString(value));
    }
  }

  private static RamRegion ram(String name, long size) {
    return new RamRegion(name, new GuestRam(name, size), true);
  }

  private static MmioRegion mmio(BusDevice device, long size) {
    return new MmioRegion("device", size, device, new ReentrantLock());
  }

  @Test
  void ramIsLittleEndianAtEveryWidth() throws Exception {
    space.map(0x1000, ram("ram", 0x1000));
    space.write(0x1008, 8, 0x1122334455667788L);
    assertThat(space.read(0x1008, 1)).isEqualTo(0x88);
    assertThat(space.read(0x1009, 2)).isEqualTo(0x6677);
    assertThat(space.read(0x100c, 4)).isEqualTo(0x11223344);
    space.write(0x1009, 1, 0xabcd);
    assertThat(space.read(0x1008, 8)).isEqualTo(0x112233445566cd88L);
  }

  @Test
  void unassignedAddressesAndAccessesAcrossTheEndFault() {
    space.map(0x1000, ram("ram", 0x1000));
    for (long bad : new long[] {0, 0xfff, 0x1ffd, 0x2000, -1, -4, Long.MIN_VALUE, AddressSpace.SIZE}) {
      assertThatThrownBy(() -> space.read(bad, 4)).as(Long.toHexString(bad)).isSameAs(BusFault.UNASSIGNED);
      assertThatThrownBy(() -> space.write(bad, 4, 0)).isSameAs(BusFault.UNASSIGNED);
      assertThatThrownBy(() -> space.read(bad, new byte[8], 0, 8)).isSameAs(BusFault.UNASSIGNED);
    }
  }

  @Test
  void romDropsStoresAndTakesLoads() throws Exception {
    space.map(0, new RamRegion("rom", new GuestRam("rom", 0x1000), false));
    space.load(0x10, new byte[] {1, 2, 3, 4}, 0, 4);
    space.write(0x10, 4, -1);
    space.write(0x10, new byte[8], 0, 8);
    assertThat(space.read(0x10, 4)).isEqualTo(0x04030201);
  }

  @Test
  void mmioAccessesAreSplitAndWidenedToWhatTheDeviceTakes() throws Exception {
    Recorder words = new Recorder(BusDevice.AccessSizes.WORD);
    space.map(0x100, mmio(words, 0x100));
    assertThat(space.read(0x108, 8)).isEqualTo(0x0f0e0d0c0b0a0908L);
    assertThat(space.read(0x10e, 1)).isEqualTo(0x0e);
    space.write(0x110, 8, 0x1122334455667788L);
    assertThat(words.accesses).containsExactly("r4@8", "r4@12", "r4@12", "w4@16=55667788", "w4@20=11223344");
  }

  @Test
  void dmaCrossesRegionsInOrder() throws Exception {
    Recorder device = new Recorder(new BusDevice.AccessSizes(1, 4, false));
    space.map(0x1000, ram("a", 0x1000));
    space.map(0x2000, mmio(device, 8));
    space.map(0x2008, new AliasRegion("alias", ram("b", 0x1000), 0x100, 0x100));
    byte[] data = new byte[24];
    for (int i = 0; i < data.length; i++) {
      data[i] = (byte) (i + 1);
    }
    space.write(0x1ff8, data, 0, 24);
    assertThat(device.accesses).containsExactly("w4@0=c0b0a09", "w4@4=100f0e0d");
    byte[] back = new byte[24];
    space.read(0x1ff8, back, 0, 24);
    assertThat(space.read(0x1ff8, 8)).isEqualTo(0x0807060504030201L);
    assertThat(space.read(0x2008, 8)).isEqualTo(0x1817161514131211L);
    assertThat(back[8]).isZero();
    assertThat(back[15]).isEqualTo((byte) 7);
  }

  @Test
  void memoryWithCommandsIsRomOrDeviceByItsMode() throws Exception {
    Recorder device = new Recorder(BusDevice.AccessSizes.ANY);
    GuestRam array = new GuestRam("array", 0x1000);
    array.put(8, 8, 0x55);
    RomDeviceRegion flash = new RomDeviceRegion(array, mmio(device, 0x1000), true);
    ContainerRegion outer = new ContainerRegion("outer", 0x2000);
    outer.add(new ContainerRegion.Mapping(0x1000, flash, 0));
    AtomicInteger changes = new AtomicInteger();
    space.map(0, outer);
    space.addLayoutListener(changes::incrementAndGet);
    assertThat(space.read(0x1008, 8)).isEqualTo(0x55);
    space.write(0x1008, 4, 0x66);
    space.write(0x1008, new byte[] {7}, 0, 1);
    assertThat(space.read(0x1008, 8)).isEqualTo(0x55);
    assertThat(device.accesses).containsExactly("w4@8=66", "w1@8=7");
    flash.setArrayMode(false);
    assertThat(space.read(0x1008, 1)).isEqualTo(8);
    flash.setArrayMode(false);
    flash.setArrayMode(true);
    assertThat(space.read(0x1008, 8)).isEqualTo(0x55);
    assertThat(changes).hasValue(2);
  }

  @Test
  void laterAndHigherMappingsCoverOthersUntilUnmapped() throws Exception {
    RamRegion low = ram("low", 0x3000);
    RamRegion high = ram("high", 0x1000);
    space.map(0, low);
    space.map(0x1000, high);
    space.write(0x1000, 1, 1);
    assertThat(high.ram().getByte(0)).isEqualTo((byte) 1);
    assertThat(space.view().ranges()).extracting(r -> r.region().name()).containsExactly("low", "high", "low");
    space.unmap(high);
    assertThat(space.read(0x1000, 1)).isZero();
    space.map(0x1000, high, -1);
    assertThat(space.read(0x1000, 1)).isZero();
  }

  private record Layer(long base, long size, Region region, int priority) {}

  /** Every byte of random layouts belongs to the region of the highest priority, the latest among equals. */
  @Test
  void flatViewAgreesWithAByteByByteSearch() {
    Random random = new Random(7);
    for (int round = 0; round < 200; round++) {
      ContainerRegion root = new ContainerRegion("root", 256);
      List<Layer> layers = new ArrayList<>();
      for (int i = 0; i < 6; i++) {
        long size = 1 + random.nextInt(60);
        long base = random.nextInt(250);
        Region region = mmio(new Recorder(BusDevice.AccessSizes.ANY), size);
        if (random.nextBoolean()) {
          long offset = random.nextInt((int) size);
          region = new AliasRegion("alias", region, offset, size - offset);
        }
        int priority = random.nextInt(3);
        root.add(new ContainerRegion.Mapping(base, region, priority));
        layers.add(new Layer(base, region.size(), region, priority));
      }
      FlatView view = FlatView.of(root);
      for (long at = 0; at < 256; at++) {
        compare(view, layers, at);
      }
    }
  }

  private static void compare(FlatView view, List<Layer> layers, long at) {
    Layer winner = null;
    for (Layer layer : layers) {
      boolean inside = at >= layer.base() && at < layer.base() + layer.size();
      if (inside && (winner == null || layer.priority() >= winner.priority())) {
        winner = layer;
      }
    }
    if (winner == null) {
      assertThatThrownBy(() -> view.find(at, 1)).isSameAs(BusFault.UNASSIGNED);
      return;
    }
    Region leaf = winner.region() instanceof AliasRegion alias ? alias.target() : winner.region();
    long offset = at - winner.base() + (winner.region() instanceof AliasRegion alias ? alias.offset() : 0);
    try {
      FlatView.Range range = view.find(at, 1);
      assertThat(range.region()).isSameAs(leaf);
      assertThat(at - range.start() + range.offset()).isEqualTo(offset);
    } catch (BusFault e) {
      throw new AssertionError("nothing at " + at, e);
    }
  }

  @Test
  void aliasThatLeavesItsTargetIsRefused() {
    assertThatThrownBy(() -> new AliasRegion("a", ram("r", 0x1000), 0xf00, 0x200))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("leaves");
  }
}
