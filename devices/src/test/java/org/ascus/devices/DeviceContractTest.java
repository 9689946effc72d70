package org.ascus.devices;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.util.List;
import java.util.Random;
import org.ascus.machine.bus.MmioRegion;
import org.ascus.machine.device.Device;
import org.ascus.machine.run.Machine;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;
import org.ascus.machine.trace.Log;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What holds for every device with registers, whatever a guest does to them. Guest time stands still at 0. */
public abstract class DeviceContractTest {
  private static final int ACCESSES = 3_000;
  private static final int[] WIDTHS = {1, 2, 4, 8};

  /** What the devices under test belong to; never started. */
  protected final Machine machine = new Machine(Log.off());

  /** A device under test; each call makes an equal one. */
  protected abstract Device create() throws Exception;

  /** The registers of a device that {@link #create} made. */
  protected abstract List<MmioRegion> regions(Device device);

  /** False for a device that keeps some state over a reset, such as non-volatile memory. */
  protected boolean resetForgetsAll() {
    return true;
  }

  /** Offsets that random accesses are drawn from, besides the whole region. */
  protected List<Long> interestingOffsets() {
    return List.of(0L, 4L, 8L);
  }

  @AfterEach
  void closeMachine() {
    machine.close();
  }

  protected static void reset(Device device) {
    device.resetEnter();
    device.resetHold();
    device.resetExit();
  }

  protected static byte[] save(Device device) {
    device.quiesce();
    StateWriter out = new StateWriter();
    out.section(device);
    return out.toByteArray();
  }

  protected static void load(Device device, byte[] stream) throws StateException {
    new StateReader(stream).section(device);
  }

  private Device fresh() throws Exception {
    Device device = create();
    reset(device);
    return device;
  }

  /** Makes one random access; the value read, or 0. */
  private long access(Device device, Random random, boolean readOnly) {
    List<MmioRegion> regions = regions(device);
    MmioRegion region = regions.get(random.nextInt(regions.size()));
    int width = WIDTHS[random.nextInt(4)];
    List<Long> offsets = interestingOffsets();
    long near = offsets.get(random.nextInt(offsets.size())) + (random.nextInt(4) == 0 ? random.nextInt(64) : 0);
    long offset = random.nextBoolean() ? near : random.nextLong(region.size());
    offset = Math.min(offset, region.size() - width);
    if (random.nextInt(8) != 0) {
      offset &= -width;
    }
    boolean read = random.nextBoolean() || readOnly;
    long value = random.nextInt(3) == 0 ? random.nextLong() : random.nextInt(256);
    if (read) {
      return region.read(offset, width);
    }
    region.write(offset, width, value);
    return 0;
  }

  private void disturb(Device device, long seed) {
    Random random = new Random(seed);
    for (int i = 0; i < ACCESSES; i++) {
      access(device, random, false);
    }
  }

  @Test
  void anyAccessIsAnswered() throws Exception {
    for (long seed = 1; seed <= 5; seed++) {
      Device device = fresh();
      disturb(device, seed);
      assertThat(device.lock().isLocked()).isFalse();
      device.close();
    }
  }

  @Test
  void loadedDeviceCannotBeToldFromTheSavedOne() throws Exception {
    for (long seed = 11; seed <= 15; seed++) {
      Device device = fresh();
      disturb(device, seed);
      byte[] state = save(device);
      Device other = fresh();
      load(other, state);
      assertThat(save(other)).isEqualTo(state);
      Random one = new Random(seed);
      Random two = new Random(seed);
      for (int i = 0; i < 300; i++) {
        assertThat(access(other, two, false)).isEqualTo(access(device, one, false));
      }
      assertThat(save(other)).isEqualTo(save(device));
      device.close();
      other.close();
    }
  }

  @Test
  void resetForgetsWhatTheGuestDid() throws Exception {
    if (resetForgetsAll()) {
      Device device = fresh();
      byte[] state = save(device);
      disturb(device, 21);
      reset(device);
      assertThat(save(device)).isEqualTo(state);
      device.close();
    }
  }

  @Test
  void malformedStateEndsInStateException() throws Exception {
    Device device = fresh();
    disturb(device, 31);
    byte[] state = save(device);
    Random random = new Random(31);
    for (int i = 0; i < 300; i++) {
      byte[] bad = state.clone();
      for (int flips = 1 + random.nextInt(3); flips > 0; flips--) {
        bad[random.nextInt(bad.length)] ^= (byte) (1 << random.nextInt(8));
      }
      Device other = create();
      assertThatCode(
              () -> {
                try {
                  load(other, bad);
                } catch (StateException e) {
                  assertThat(e.getMessage()).isNotBlank();
                }
              })
          .doesNotThrowAnyException();
      disturbBriefly(other, i);
      other.close();
    }
    device.close();
  }

  private void disturbBriefly(Device device, long seed) {
    Random random = new Random(seed);
    for (int i = 0; i < 50; i++) {
      access(device, random, false);
    }
  }
}
