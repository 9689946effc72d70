package org.ascus.machine.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.ascus.machine.device.Property.Kind;
import org.junit.jupiter.api.Test;

class PropertyValuesTest {
  private static final List<Property> PROPERTIES =
      List.of(
          new Property("flag", Kind.BOOL, "off", ""),
          new Property("small", Kind.UINT32, "7", ""),
          new Property("large", Kind.UINT64, "0x10", ""),
          new Property("size", Kind.SIZE, "1k", ""),
          new Property("text", Kind.STRING, "", ""));

  private static PropertyValues values(String name, String text) throws DeviceException {
    return new PropertyValues("dev", PROPERTIES, Map.of(name, text));
  }

  @Test
  void defaultsStandForWhatIsNotGiven() throws Exception {
    PropertyValues v = values("text", "x");
    assertThat(v.getBool("flag")).isFalse();
    assertThat(v.getLong("small")).isEqualTo(7);
    assertThat(v.getLong("large")).isEqualTo(16);
    assertThat(v.getSize("size")).isEqualTo(1024);
    assertThat(v.isSet("text")).isTrue();
    assertThat(v.isSet("flag")).isFalse();
    assertThat(v.all().keySet()).containsExactly("flag", "small", "large", "size", "text");
  }

  @Test
  void numbersAreReadAsTheyAreChecked() throws Exception {
    assertThat(values("small", "0xffffffff").getLong("small")).isEqualTo(0xffffffffL);
    assertThat(values("small", "010").getLong("small")).isEqualTo(10);
    assertThat(values("large", "18446744073709551615").getLong("large")).isEqualTo(-1);
    assertThat(values("large", "0xFFFFFFFFFFFFFFFF").getLong("large")).isEqualTo(-1);
    assertThat(values("size", "1.5G").getSize("size")).isEqualTo(3L << 29);
    assertThat(values("size", "0x10").getSize("size")).isEqualTo(16);
    assertThat(values("size", "7E").getSize("size")).isEqualTo(7L << 60);
    assertThat(values("size", "12b").getSize("size")).isEqualTo(12);
  }

  @Test
  void badValuesAreNamedWithTheirProperty() {
    for (String[] bad : new String[][] {
      {"flag", "maybe"}, {"small", "-1"}, {"small", "-0"}, {"small", "+1"}, {"small", "#10"}, {"small", "4294967296"},
      {"small", ""}, {"small", "0x"}, {"large", "18446744073709551616"}, {"large", "x"}, {"size", "12Q"}, {"size", ""},
      {"size", "k"}, {"size", "-1"}, {"size", "8E"}, {"size", "1e9"}, {"size", "99999999999999999999"}, {"size", "1."}
    }) {
      assertThatThrownBy(() -> values(bad[0], bad[1]))
          .as(bad[0] + "=" + bad[1])
          .isInstanceOf(DeviceException.class)
          .hasMessageContaining("dev." + bad[0])
          .hasMessageContaining("'" + bad[1] + "'");
    }
    assertThatThrownBy(() -> values("nothing", "1")).hasMessageContaining("dev.nothing");
  }
}
