package org.ascus.devices.net.user;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TcpConnectionTest {
  private static byte[] random(int length) {
    byte[] bytes = new byte[length];
    new Random(length).nextBytes(bytes);
    return bytes;
  }

  private static void assertGot(TcpPair.End end, byte[] expected) {
    byte[] got = end.got.toByteArray();
    assertThat(Arrays.mismatch(got, expected)).as("%s of %s bytes", got.length, expected.length).isEqualTo(-1);
  }

  @ParameterizedTest
  @CsvSource({"0,0,0", "0.1,0,0", "0.3,0,0", "0,0.3,0", "0,0,0.3", "0.1,0.1,0.1", "0.2,0.5,0.5"})
  void everyByteArrivesOnceAndInOrder(double loss, double repeat, double delay) {
    for (int seed = 0; seed < 5; seed++) {
      TcpPair p = new TcpPair(seed);
      p.loss = loss;
      p.repeat = repeat;
      p.delay = delay;
      p.guest.toSend = random(100_000);
      p.net.toSend = random(150_001);
      p.guest.finish = true;
      p.net.finish = true;
      p.guest.tcp.open();
      p.run(() -> p.guest.closed && p.net.closed);
      assertGot(p.net, p.guest.toSend);
      assertGot(p.guest, p.net.toSend);
      assertThat(p.guest.ended && p.net.ended).isTrue();
      assertThat(p.guest.closed && p.net.closed).isTrue();
      if (loss == 0) {
        assertThat(p.guest.broken || p.net.broken).isFalse();
      }
    }
  }

  @Test
  void aSideThatIsDoneStillReceives() {
    TcpPair p = new TcpPair(1);
    p.guest.finish = true;
    p.guest.tcp.open();
    p.run(() -> p.net.ended);
    assertThat(p.guest.tcp.phase()).isEqualTo("FIN_WAIT");
    p.net.toSend = random(50_000);
    p.run(() -> p.guest.got.size() == 50_000);
    assertGot(p.guest, p.net.toSend);
    p.net.finish = true;
    p.run(() -> p.guest.closed && p.net.closed);
    assertThat(p.guest.broken || p.net.broken).isFalse();
  }

  @Test
  void aReaderThatStopsStopsTheWriterAndLosesNothing() {
    TcpPair p = new TcpPair(2);
    p.loss = 0.05;
    p.guest.slow = true;
    p.guest.room = 10_000;
    p.net.toSend = random(60_000);
    p.guest.tcp.open();
    long until = 120_000_000_000L;
    p.run(() -> p.now > until);
    assertThat(p.guest.got.size()).isBetween(9_000, 10_100);
    for (int i = 0; i < 1000 && p.guest.got.size() < 60_000; i++) {
      p.guest.digest();
      long next = p.now + 100_000_000L;
      p.run(() -> p.now > next);
    }
    assertGot(p.guest, p.net.toSend);
    assertThat(p.net.broken).isFalse();
  }

  @Test
  void noMoreIsSentThanTheWindowAndOurOwnQueueAllow() {
    TcpPair p = new TcpPair(3);
    p.net.toSend = random(40_000);
    p.guest.tcp.open();
    p.net.blocked = true;
    long pause = p.now + 60_000_000_000L;
    p.run(() -> p.now > pause);
    assertThat(p.guest.got.size()).isZero();
    assertThat(p.net.broken).isFalse();
    p.net.blocked = false;
    p.run(() -> p.guest.got.size() == 40_000);
    assertThat(p.net.segments).isLessThan(30);
  }

  @Test
  void aResetBreaksBothEnds() {
    TcpPair p = new TcpPair(4);
    p.guest.tcp.open();
    p.run(() -> p.net.opened && p.guest.opened);
    p.guest.tcp.reset();
    p.run(() -> p.net.broken);
    assertThat(p.net.closed && p.guest.closed).isTrue();
  }

  @Test
  void whoNeverAnswersIsGivenUp() {
    TcpPair p = new TcpPair(5);
    p.loss = 1;
    p.guest.tcp.open();
    p.run(() -> p.guest.broken);
    assertThat(p.guest.broken && p.guest.closed).isTrue();
    assertThat(p.guest.segments).isBetween(8, 15);
  }

  @Test
  void segmentsOfJunkNeitherThrowNorGetThrough() {
    Random random = new Random(6);
    for (int round = 0; round < 200; round++) {
      TcpPair p = new TcpPair(round);
      p.guest.toSend = random(5000);
      p.guest.tcp.open();
      if (round % 2 == 0) {
        p.run(() -> p.net.opened && p.net.got.size() > 0);
      }
      for (int i = 0; i < 200; i++) {
        byte[] data = new byte[random.nextInt(50)];
        int near = random.nextInt(1 << 1 + random.nextInt(30)) - (1 << 10);
        // An attacker who does not know the numbers by heart, and a guest that knows them but talks nonsense.
        boolean knows = random.nextInt(4) == 0;
        int sequence = knows ? p.net.tcp.acknowledgement() + near : random.nextInt();
        TcpSegment s =
            new TcpSegment(1, 2, sequence, random.nextInt(), random.nextInt(256), random.nextInt(65536),
                random.nextInt(65536), random.nextInt(15), data, 0, data.length);
        if (p.net.tcp.state() != null) {
          p.net.tcp.input(s);
          p.net.tcp.output();
        }
      }
      assertThat(p.net.got.size()).isLessThan(5000 + 200 * 50);
    }
  }
}
