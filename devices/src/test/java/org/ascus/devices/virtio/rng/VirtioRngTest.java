package org.ascus.devices.virtio.rng;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.ascus.devices.virtio.GuestDriver;
import org.ascus.devices.virtio.VirtioContract;
import org.ascus.devices.virtio.VirtioDevice;
import org.ascus.devices.virtio.VirtioHost;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VirtioRngTest extends VirtioContract {
  private long maxBytes = VirtioRng.UNLIMITED;

  @Override
  protected VirtioDevice device(VirtioHost host) throws Exception {
    return new VirtioRng("rng0", host, new Random(7)::nextBytes, maxBytes, 1);
  }

  @Override
  protected int workQueue() {
    return 0;
  }

  @Override
  protected boolean writesWorkQueue() {
    return true;
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void buffersAreFilledFromTheSource(boolean legacy) throws Exception {
    GuestDriver d = driver(legacy);
    d.start(0);
    GuestDriver.Queue q = d.queue(0, 8);
    d.ready();
    long a = d.alloc(64);
    long b = d.alloc(64);
    q.add(d.in(a, 40), d.in(b, 24));
    q.kick();
    assertThat(q.await(1)).containsExactly(64L);
    byte[] expected = new byte[64];
    new Random(7).nextBytes(expected);
    assertThat(d.bytesAt(a, 40)).isEqualTo(Arrays.copyOf(expected, 40));
    assertThat(d.bytesAt(b, 24)).isEqualTo(Arrays.copyOfRange(expected, 40, 64));
    assertThat(d.irq()).isTrue();
  }

  @Test
  void noMoreThanTheLimitInAPeriodOfGuestTime() throws Exception {
    maxBytes = 32;
    GuestDriver d = driver(false);
    AtomicLong now = new AtomicLong();
    d.machine.clock().useInstructionTime(now::get);
    d.start(0);
    GuestDriver.Queue q = d.queue(0, 8);
    d.ready();
    long buffer = d.alloc(64);
    q.add(d.in(buffer, 24));
    q.add(d.in(buffer, 24));
    q.add(d.in(buffer, 24));
    q.kick();
    assertThat(q.await(2)).containsExactly(24L, 8L);
    assertThat(q.usedIndex()).isEqualTo(2);
    now.set(2_000_000);
    d.machine.clock().runDue();
    assertThat(q.await(1)).containsExactly(24L);
  }
}
