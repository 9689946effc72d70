package org.ascus.machine.irq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class OrGateTest {
  @Test
  void outputIsHighWhileAnyInputIs() {
    boolean[] out = {false};
    OrGate gate = new OrGate(level -> out[0] = level);
    IrqLine first = gate.input(0);
    IrqLine last = gate.input(63);
    first.set(true);
    last.set(true);
    first.set(false);
    assertThat(out[0]).isTrue();
    last.set(false);
    assertThat(out[0]).isFalse();
    first.pulse();
    assertThat(out[0]).isFalse();
    assertThatThrownBy(() -> gate.input(64)).isInstanceOf(IllegalArgumentException.class);
  }
}
