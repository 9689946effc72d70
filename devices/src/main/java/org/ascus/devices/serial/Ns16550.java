package org.ascus.devices.serial;

import java.util.Map;
import org.ascus.devices.chardev.CharBackend;
import org.ascus.devices.chardev.CharReceiver;
import org.ascus.machine.bus.BusDevice;
import org.ascus.machine.bus.MmioRegion;
import org.ascus.machine.device.Device;
import org.ascus.machine.irq.IrqLine;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;

/**
 * A 16550A UART (National Semiconductor PC16550D data sheet), byte registers one byte apart. Characters take no time on
 * the line, whatever the divisor says; while the back end has no room the transmitter is busy.
 *
 * <pre>
 * 0 RBR/THR, DLL   receive and transmit; divisor bits 7:0 while LCR bit 7 is set
 * 1 IER, DLM       interrupt enables; divisor bits 15:8 while LCR bit 7 is set
 * 2 IIR/FCR        read: interrupt identification; write: FIFO control
 * 3 LCR            line control
 * 4 MCR            modem control, with loopback in bit 4
 * 5 LSR            line status
 * 6 MSR            modem status; the other end is always there
 * 7 SCR            scratch
 * </pre>
 *
 * <p>The character timeout interrupt comes at once: with no time between characters there is none to wait for.
 *
 * <p>Lock order: this lock, then the back end's. The back end calls the receiver with no lock held.
 */
public final class Ns16550 extends Device implements BusDevice {
  /** Bytes of the register window on the virt board. */
  public static final long SIZE = 0x100;

  private static final int IER_RX = 1;
  private static final int IER_TX = 2;
  private static final int IER_LINE = 4;
  private static final int IER_MODEM = 8;

  private static final int IIR_MODEM = 0;
  private static final int IIR_NONE = 1;
  private static final int IIR_TX = 2;
  private static final int IIR_RX = 4;
  private static final int IIR_LINE = 6;
  private static final int IIR_TIMEOUT = 12;
  private static final int IIR_FIFO = 0xc0;

  private static final int FCR_ENABLE = 1;
  private static final int FCR_CLEAR_RX = 2;
  private static final int FCR_CLEAR_TX = 4;
  private static final int FCR_KEPT = 0xc9;
  private static final int[] TRIGGER = {1, 4, 8, 14};

  private static final int LCR_DLAB = 0x80;
  private static final int MCR_LOOP = 0x10;
  private static final int MCR_OUT2 = 8;

  private static final int LSR_READY = 0x01;
  private static final int LSR_OVERRUN = 0x02;
  private static final int LSR_BREAK = 0x10;
  private static final int LSR_THR_EMPTY = 0x20;
  private static final int LSR_IDLE = 0x40;
  private static final int LSR_FIFO_ERROR = 0x80;

  private static final int MSR_RING = 0x40;
  /** Carrier, data set ready, clear to send. */
  private static final int MSR_CONNECTED = 0xb0;

  private final IrqLine irq;
  private final CharBackend backend;
  private final MmioRegion region;
  private final byte[] out = new byte[ByteFifo.CAPACITY];

  private final ByteFifo rx = new ByteFifo();
  private final ByteFifo tx = new ByteFifo();
  private int ier;
  private int fcr;
  private int lcr;
  private int mcr;
  private int modemDelta;
  private int scratch;
  private int divisor;
  private boolean overrun;
  private boolean powered;
  private boolean txInterrupt;

  /**
   * @param irq high while an enabled interrupt is pending
   * @param backend the other end of the line, closed with the device
   */
  public Ns16550(String id, IrqLine irq, CharBackend backend) {
    super("ns16550a", id);
    this.irq = irq;
    this.backend = backend;
    this.region = new MmioRegion("serial", SIZE, this, lock());
    resetEnter();
    backend.connect(new Line());
  }

  public MmioRegion region() {
    return region;
  }

  @Override
  public AccessSizes accessSizes() {
    return AccessSizes.BYTE;
  }

  // ---- the line ----

  /** The line as the back end sees it, on the back end's thread. */
  private final class Line implements CharReceiver {
    @Override
    public int canReceive() {
      lock().lock();
      try {
        return loopback() || !powered ? 0 : capacity() - rx.count();
      } finally {
        lock().unlock();
      }
    }

    @Override
    public void receive(byte[] data, int offset, int length) {
      lock().lock();
      try {
        for (int i = 0; i < length; i++) {
          arrive(data[offset + i], 0);
        }
        update();
      } finally {
        lock().unlock();
      }
    }

    @Override
    public void breakReceived() {
      lock().lock();
      try {
        arrive(0, LSR_BREAK);
        update();
      } finally {
        lock().unlock();
      }
    }

    @Override
    public void canSend() {
      lock().lock();
      try {
        send();
        update();
      } finally {
        lock().unlock();
      }
    }
  }

  private boolean loopback() {
    return (mcr & MCR_LOOP) != 0;
  }

  private int capacity() {
    return fifos() ? ByteFifo.CAPACITY : 1;
  }

  private boolean fifos() {
    return (fcr & FCR_ENABLE) != 0;
  }

  private void arrive(int value, int status) {
    if (rx.count() >= capacity()) {
      overrun = true;
    } else {
      rx.add(value, status);
    }
  }

  private void transmit(int value) {
    if (tx.count() == ByteFifo.CAPACITY) {
      // The guest did not wait for the transmitter: the character is lost, as on the real part.
      return;
    }
    tx.add(value, 0);
    send();
  }

  /** Moves waiting characters to the line as far as there is room; an emptied transmitter interrupts. */
  private void send() {
    if (tx.isEmpty()) {
      return;
    }
    if (loopback()) {
      while (!tx.isEmpty()) {
        arrive(tx.take(), 0);
      }
    } else if (backend.hasRoom()) {
      int count = tx.count();
      for (int i = 0; i < count; i++) {
        out[i] = (byte) tx.take();
      }
      backend.write(out, 0, count);
    }
    if (tx.isEmpty()) {
      txInterrupt = true;
    }
  }

  // ---- registers ----

  @Override
  public long read(long offset, int width) {
    return switch ((int) offset) {
      case 0 -> (lcr & LCR_DLAB) != 0 ? divisor & 0xff : readData();
      case 1 -> (lcr & LCR_DLAB) != 0 ? divisor >>> 8 : ier;
      case 2 -> readIdentification();
      case 3 -> lcr;
      case 4 -> mcr;
      case 5 -> readLineStatus();
      case 6 -> readModemStatus();
      case 7 -> scratch;
      default -> 0;
    };
  }

  private int readData() {
    if (rx.isEmpty()) {
      return 0;
    }
    int value = rx.take();
    update();
    backend.acceptInput();
    return value;
  }

  private int readIdentification() {
    int source = identification();
    if (source == IIR_TX) {
      txInterrupt = false;
      update();
    }
    return source | (fifos() ? IIR_FIFO : 0);
  }

  /** The pending interrupt of the highest priority (table 4 of the data sheet). */
  private int identification() {
    if ((ier & IER_LINE) != 0 && (overrun || rx.status() != 0)) {
      return IIR_LINE;
    }
    if ((ier & IER_RX) != 0 && !rx.isEmpty()) {
      return !fifos() || rx.count() >= TRIGGER[fcr >>> 6] ? IIR_RX : IIR_TIMEOUT;
    }
    if ((ier & IER_TX) != 0 && txInterrupt) {
      return IIR_TX;
    }
    return (ier & IER_MODEM) != 0 && modemDelta != 0 ? IIR_MODEM : IIR_NONE;
  }

  private int readLineStatus() {
    int value = rx.isEmpty() ? 0 : LSR_READY | rx.status();
    value |= overrun ? LSR_OVERRUN : 0;
    value |= tx.isEmpty() ? LSR_THR_EMPTY | LSR_IDLE : 0;
    value |= fifos() && rx.anyStatus() != 0 ? LSR_FIFO_ERROR : 0;
    overrun = false;
    if (rx.status() != 0) {
      rx.clearStatus();
    }
    update();
    return value;
  }

  private int readModemStatus() {
    int value = modemLines() | modemDelta;
    modemDelta = 0;
    update();
    return value;
  }

  /** MSR bits 7:4; in loopback OUT2, OUT1, DTR and RTS of the MCR stand for them. */
  private int modemLines() {
    return loopback() ? (mcr & 8) << 4 | (mcr & 4) << 4 | (mcr & 1) << 5 | (mcr & 2) << 3 : MSR_CONNECTED;
  }

  @Override
  public void write(long offset, int width, long data) {
    int value = (int) data & 0xff;
    switch ((int) offset) {
      case 0 -> {
        if ((lcr & LCR_DLAB) != 0) {
          divisor = divisor & 0xff00 | value;
        } else {
          txInterrupt = false;
          transmit(value);
        }
      }
      case 1 -> {
        if ((lcr & LCR_DLAB) != 0) {
          divisor = divisor & 0xff | value << 8;
        } else {
          writeEnables(value);
        }
      }
      case 2 -> writeFifoControl(value);
      case 3 -> lcr = value;
      case 4 -> writeModemControl(value);
      case 7 -> scratch = value;
      default -> {}
    }
    update();
  }

  private void writeEnables(int value) {
    // Drivers count on the interrupt of a transmitter that is empty already when they enable it.
    if ((value & ~ier & IER_TX) != 0 && tx.isEmpty()) {
      txInterrupt = true;
    }
    ier = value & 0xf;
  }

  private void writeFifoControl(int value) {
    boolean toggled = ((value ^ fcr) & FCR_ENABLE) != 0;
    if (toggled || (value & FCR_CLEAR_RX) != 0) {
      rx.clear();
      backend.acceptInput();
    }
    if ((toggled || (value & FCR_CLEAR_TX) != 0) && !tx.isEmpty()) {
      tx.clear();
      txInterrupt = true;
    }
    fcr = (value & FCR_ENABLE) != 0 ? value & FCR_KEPT : 0;
  }

  private void writeModemControl(int value) {
    int before = modemLines();
    boolean wasLoop = loopback();
    mcr = value & 0x1f;
    int changed = before ^ modemLines();
    // Ring shows its falling edge only.
    modemDelta |= (changed & ~MSR_RING | changed & before & MSR_RING) >>> 4;
    if (wasLoop && !loopback()) {
      backend.acceptInput();
    }
    send();
  }

  private void update() {
    irq.set(identification() != IIR_NONE);
  }

  // ---- reset and state ----

  @Override
  public void resetEnter() {
    rx.clear();
    tx.clear();
    ier = 0;
    fcr = 0;
    lcr = 0;
    mcr = MCR_OUT2;
    modemDelta = 0;
    scratch = 0;
    divisor = 12;
    overrun = false;
    txInterrupt = false;
  }

  @Override
  public void resetHold() {
    irq.set(false);
  }

  @Override
  public void resetExit() {
    // Input that was there before the first reset is not lost by it.
    powered = true;
    backend.acceptInput();
  }

  @Override
  public Map<String, String> properties() {
    return Map.of("regshift", "0", "fifo", Integer.toString(ByteFifo.CAPACITY));
  }

  @Override
  public void save(StateWriter out) {
    rx.save(out, "rx");
    tx.save(out, "tx");
    out.putInts("registers", ier, fcr, lcr, mcr, modemDelta, scratch, divisor);
    out.putBoolean("overrun", overrun);
    out.putBoolean("txInterrupt", txInterrupt);
  }

  @Override
  public void load(StateReader in, int version) throws StateException {
    rx.load(in, "rx", LSR_BREAK);
    tx.load(in, "tx", 0);
    long[] r = in.getLongs("registers", 7);
    ier = (int) r[0] & 0xf;
    fcr = (int) r[1] & FCR_KEPT;
    lcr = (int) r[2] & 0xff;
    mcr = (int) r[3] & 0x1f;
    modemDelta = (int) r[4] & 0xf;
    scratch = (int) r[5] & 0xff;
    divisor = (int) r[6] & 0xffff;
    overrun = in.getBoolean("overrun");
    txInterrupt = in.getBoolean("txInterrupt");
    send();
    update();
  }

  @Override
  public void close() {
    backend.close();
  }
}
