package org.ascus.launcher.options;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;

class KeyValuesTest {
  @Test
  void aDoubledCommaIsAComma() throws OptionException {
    assertThat(KeyValues.parse("file=a,,b,,,id=x", "").rest()).isEqualTo(Map.of("file", "a,b,", "id", "x"));
  }

  @Test
  void theFirstValueMayDoWithoutItsKey() throws OptionException {
    assertThat(KeyValues.parse("virt,a=1", "type").rest()).isEqualTo(Map.of("type", "virt", "a", "1"));
    assertThat(KeyValues.parse("type=virt", "type").rest()).isEqualTo(Map.of("type", "virt"));
  }

  @Test
  void aKeyAloneIsSwitchedOn() throws OptionException {
    assertThat(KeyValues.parse("a=1,snapshot", "").takeSwitch("snapshot", false)).isTrue();
  }

  @Test
  void valuesKeepEqualsSigns() throws OptionException {
    assertThat(KeyValues.parse("a=b=c", "").rest()).isEqualTo(Map.of("a", "b=c"));
  }

  @Test
  void sizesHaveSuffixesAndAUnit() throws OptionException {
    assertThat(KeyValues.size("size", "512", 1 << 20)).isEqualTo(512L << 20);
    assertThat(KeyValues.size("size", "1.5G", 1 << 20)).isEqualTo(3L << 29);
    assertThat(KeyValues.size("size", "64k", 1)).isEqualTo(65536);
    for (String wrong : new String[] {"", "12Q", "-1", "M", "0x", "99999999999999999999"}) {
      assertThatThrownBy(() -> KeyValues.size("size", wrong, 1 << 20)).as(wrong).isInstanceOf(OptionException.class);
    }
  }

  @Test
  void anythingNotAskedForIsAnError() throws OptionException {
    KeyValues kv = KeyValues.parse("a=1,b=2", "");
    kv.take("a");
    assertThatThrownBy(kv::expectEmpty).hasMessageContaining("'b'");
  }
}
