package org.ascus.machine.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StateStreamTest {
  /** One field of each type. */
  private static final class Everything implements Stateful {
    private final String id;
    private final int version;
    private long number;
    private boolean flag;
    private byte[] bytes = {};
    private long[] longs = {};
    private String text = "";

    Everything(String id, int version) {
      this.id = id;
      this.version = version;
    }

    @Override
    public String stateId() {
      return id;
    }

    @Override
    public int stateVersion() {
      return version;
    }

    @Override
    public void save(StateWriter out) {
      out.putLong("number", number);
      out.putBoolean("flag", flag);
      out.putBytes("bytes", bytes);
      out.putLongs("longs", longs);
      out.putString("text", text);
    }

    @Override
    public void load(StateReader in, int streamVersion) throws StateException {
      number = in.getLong("number");
      flag = in.getBoolean("flag");
      bytes = in.getBytes("bytes");
      longs = in.getLongs("longs");
      text = in.getString("text");
    }
  }

  private static Everything sample(String id) {
    Everything e = new Everything(id, 2);
    e.number = Long.MIN_VALUE + 5;
    e.flag = true;
    e.bytes = new byte[] {1, -1, 0};
    e.longs = new long[] {-1, 0, Long.MAX_VALUE};
    e.text = "grüße";
    return e;
  }

  private static byte[] stream(Stateful... objects) {
    StateWriter out = new StateWriter();
    for (Stateful object : objects) {
      out.section(object);
    }
    return out.toByteArray();
  }

  @Test
  void everyTypeOfFieldComesBackInAnyOrderOfSections() throws Exception {
    StateReader in = new StateReader(stream(sample("one"), new Everything("two", 2)));
    Everything two = sample("two");
    Everything one = new Everything("one", 3);
    in.section(two);
    in.section(one);
    assertThat(two.number).isZero();
    assertThat(two.text).isEmpty();
    assertThat(one.number).isEqualTo(Long.MIN_VALUE + 5);
    assertThat(one.flag).isTrue();
    assertThat(one.bytes).containsExactly(1, -1, 0);
    assertThat(one.longs).containsExactly(-1, 0, Long.MAX_VALUE);
    assertThat(one.text).isEqualTo("grüße");
  }

  @Test
  void missingSectionsFieldsAndNewerVersionsAreNamed() throws Exception {
    StateReader in = new StateReader(stream(sample("one")));
    assertThatThrownBy(() -> in.section(new Everything("three", 2)))
        .isInstanceOf(StateException.class)
        .hasMessageContaining("three");
    assertThatThrownBy(() -> in.section(new Everything("one", 1)))
        .isInstanceOf(StateException.class)
        .hasMessageContaining("version 2");
    in.section(new Everything("one", 2));
    assertThatThrownBy(() -> in.getLong("nothing")).isInstanceOf(StateException.class).hasMessageContaining("nothing");
    assertThatThrownBy(() -> in.getLong("text")).isInstanceOf(StateException.class);
    assertThatThrownBy(() -> in.getLong("number", 0, 5)).hasMessageContaining("out of range");
    assertThatThrownBy(() -> in.getLongs("longs", 2)).hasMessageContaining("3 elements, not 2");
    assertThat(in.has("text")).isTrue();
    assertThat(in.has("nothing")).isFalse();
  }

  @Test
  void aDamagedStreamEndsInAStateException() {
    byte[] good = stream(sample("one"), sample("two"));
    Random random = new Random(3);
    for (int i = 0; i < 5_000; i++) {
      byte[] bad = good.clone();
      for (int flips = random.nextInt(4); flips >= 0; flips--) {
        bad[random.nextInt(bad.length)] = (byte) random.nextInt();
      }
      byte[] cut = random.nextBoolean() ? bad : Arrays.copyOf(bad, random.nextInt(bad.length));
      try {
        StateReader in = new StateReader(cut);
        in.section(new Everything("one", 2));
        in.section(new Everything("two", 2));
      } catch (StateException e) {
        assertThat(e.getMessage()).isNotBlank();
      }
    }
  }
}
