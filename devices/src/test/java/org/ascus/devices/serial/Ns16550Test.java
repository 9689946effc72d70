package org.ascus.devices.serial;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.ascus.devices.DeviceContractTest;
import org.ascus.devices.Wire;
import org.ascus.devices.chardev.CharBackend;
import org.ascus.devices.chardev.CharReceiver;
import org.ascus.devices.chardev.RingChardev;
import org.ascus.machine.bus.MmioRegion;
import org.ascus.machine.device.Device;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class Ns16550Test extends DeviceContractTest {
  private static final int DATA = 0;
  private static final int IER = 1;
  private static final int IIR = 2;
  private static final int FCR = 2;
  private static final int LCR = 3;
  private static final int MCR = 4;
  private static final int LSR = 5;
  private static final int MSR = 6;

  private final Wire wire = new Wire();
  private final RingChardev host = RingChardev.synchronous(1 << 16);
  private MmioRegion io;

  @Override
  protected Device create() {
    return new Ns16550("serial0", wire, host);
  }

  @Override
  protected List<MmioRegion> regions(Device device) {
    return List.of(((Ns16550) device).region());
  }

  @Override
  protected List<Long> interestingOffsets() {
    return List.of(0L, 1L, 2L, 3L, 4L, 5L, 6L, 7L);
  }

  @BeforeEach
  void make() {
    Device uart = create();
    reset(uart);
    io = regions(uart).getFirst();
  }

  private long in(int register) {
    return io.read(register, 1);
  }

  private void out(int register, int value) {
    io.write(register, 1, value);
  }

  @Test
  void bytesWrittenComeOutInOrder() {
    "hello\n".chars().forEach(c -> out(DATA, c));
    assertThat(host.output()).isEqualTo("hello\n");
    assertThat(in(LSR)).isEqualTo(0x60);
  }

  @Test
  void inputOfAnyLengthArrivesWholeThroughTheFifo() throws Exception {
    out(FCR, 1);
    host.send("a".repeat(40) + "z");
    StringBuilder text = new StringBuilder();
    while ((in(LSR) & 1) != 0) {
      text.append((char) in(DATA));
    }
    assertThat(text.toString()).isEqualTo("a".repeat(40) + "z");
    assertThat(in(LSR) & 2).as("no overrun").isZero();
  }

  @Test
  void transmitterInterruptsWhenEnabledAndAgainAfterEachWrite() {
    assertThat(wire.isHigh()).isFalse();
    out(IER, 2);
    assertThat(wire.isHigh()).isTrue();
    assertThat(in(IIR)).isEqualTo(2);
    assertThat(wire.isHigh()).as("reading the identification clears it").isFalse();
    assertThat(in(IIR)).isEqualTo(1);
    out(IER, 0);
    out(IER, 2);
    assertThat(in(IIR)).as("Linux's test for parts that forget").isEqualTo(2);
    out(DATA, 'x');
    assertThat(wire.isHigh()).isTrue();
  }

  @Test
  void receivedDataInterruptsUntilItIsRead() throws Exception {
    out(FCR, 1);
    out(IER, 1);
    host.send("ab");
    assertThat(wire.isHigh()).isTrue();
    assertThat(in(IIR)).isEqualTo(0xc4);
    in(DATA);
    assertThat(wire.isHigh()).isTrue();
    in(DATA);
    assertThat(wire.isHigh()).isFalse();
    assertThat(in(IIR)).isEqualTo(0xc1);
  }

  @Test
  void belowTheTriggerLevelTheTimeoutInterruptComesInstead() throws Exception {
    out(FCR, 0x81);
    out(IER, 1);
    host.send("abcdefg");
    assertThat(in(IIR)).isEqualTo(0xcc);
    host.send("h");
    assertThat(in(IIR)).isEqualTo(0xc4);
  }

  @Test
  void lineStatusHasPriorityOverDataAndDataOverTransmitter() throws Exception {
    out(FCR, 1);
    out(IER, 7);
    host.send("a");
    host.sendBreak();
    assertThat(in(IIR)).isEqualTo(0xc4);
    assertThat(in(DATA)).isEqualTo('a');
    assertThat(in(IIR)).isEqualTo(0xc6);
    assertThat(in(LSR) & 0x91).as("break, with the character it stands for").isEqualTo(0x91);
    assertThat(in(IIR)).isEqualTo(0xc4);
    assertThat(in(DATA)).isZero();
    assertThat(in(IIR)).isEqualTo(0xc2);
  }

  @Test
  void divisorHidesBehindItsLatchBit() {
    out(LCR, 0x83);
    out(DATA, 0x34);
    out(IER, 0x12);
    assertThat(in(DATA)).isEqualTo(0x34);
    assertThat(in(IER)).isEqualTo(0x12);
    out(LCR, 3);
    assertThat(in(IER)).isZero();
    assertThat(host.output()).isEmpty();
  }

  @Test
  void loopbackPassesDataAndModemLinesAndKeepsTheHostOut() throws Exception {
    out(FCR, 1);
    out(MCR, 0x1a);
    assertThat(in(MSR) & 0xf0).as("Linux's probe").isEqualTo(0x90);
    out(DATA, 'q');
    host.send("z");
    assertThat(in(DATA)).isEqualTo('q');
    assertThat(in(LSR) & 1).isZero();
    assertThat(host.output()).isEmpty();
    out(MCR, 0);
    assertThat(in(DATA)).isEqualTo('z');
  }

  @Test
  void modemLinesSayThatSomebodyIsThere() {
    assertThat(in(MSR)).isEqualTo(0xb0);
  }

  @Test
  void fifoControlIsSeenInTheIdentificationAndEmptiesTheFifo() throws Exception {
    assertThat(in(IIR) & 0xc0).isZero();
    out(FCR, 1);
    assertThat(in(IIR) & 0xc0).isEqualTo(0xc0);
    host.send("abc");
    out(FCR, 3);
    assertThat(in(LSR) & 1).isZero();
  }

  @Test
  void scratchRegisterKeepsItsValueAndTheRestOfTheWindowReadsZero() {
    out(7, 0xa5);
    assertThat(in(7)).isEqualTo(0xa5);
    assertThat(in(8)).isZero();
  }

  /** A host that stands still until told otherwise. */
  private static final class Stalled implements CharBackend {
    private final StringBuilder got = new StringBuilder();
    private boolean room;
    private CharReceiver device;

    @Override
    public void write(byte[] data, int offset, int length) {
      got.append(new String(data, offset, length, java.nio.charset.StandardCharsets.ISO_8859_1));
    }

    @Override
    public boolean hasRoom() {
      return room;
    }

    @Override
    public void connect(CharReceiver receiver) {
      device = receiver;
    }
  }

  @Test
  void hostWithoutRoomKeepsTheTransmitterBusyAndLosesNothing() {
    Stalled slow = new Stalled();
    io = new Ns16550("serial1", wire, slow).region();
    out(FCR, 1);
    out(IER, 2);
    in(IIR);
    "sixteen letters!".chars().forEach(c -> out(DATA, c));
    assertThat(in(LSR) & 0x60).isZero();
    assertThat(wire.isHigh()).isFalse();
    assertThat(slow.got).isEmpty();
    slow.room = true;
    slow.device.canSend();
    assertThat(slow.got).hasToString("sixteen letters!");
    assertThat(in(LSR) & 0x60).isEqualTo(0x60);
    assertThat(wire.isHigh()).isTrue();
  }
}
