package org.ascus.devices.serial;

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
 * A 16550A UART (National Semiconductor PC16550D data sheet), byte registers one byte apart. Characters are sent at
 * once, whatever the divisor says.
 *
 * <pre>
 * 0 RBR/THR, DLL   1 IER, DLM   2 IIR/FCR   3 LCR   4 MCR   5 LSR   6 MSR   7 SCR
 * </pre>
 */
public final class Ns16550 extends Device implements BusDevice, CharReceiver {
  /** Bytes of the register window on the virt board. */
  public static final long SIZE = 0x100;

  private static final int FIFO = 16;

  private static final int IER_RX = 1;
  private static final int IER_TX = 2;
  private static final int IER_LINE = 4;
  private static final int IER_MODEM = 8;

  private static final int LSR_READY = 0x01;
  private static final int LSR_OVERRUN = 0x02;
  private static final int LSR_BREAK = 0x10;
  private static final int LSR_ERRORS = 0x1e;
  private static final int LSR_THR_EMPTY = 0x20;
  private static final int LSR_IDLE = 0x40;

  private static final int LCR_DLAB = 0x80;
  private static final int MCR_LOOP = 0x10;
  private static final int FCR_ENABLE = 1;
  private static final int[] TRIGGER = {1, 4, 8, 14};

  private final IrqLine irq;
  private final CharBackend backend;
  private final MmioRegion region;
  private final byte[] one = new byte[1];

  private final byte[] fifo = new byte[FIFO];
  private int head;
  private int count;
  private int ier;
  private int fcr;
  private int lcr;
  private int mcr;
  private int lsr;
  private int msr;
  private int modemDelta;
  private int scratch;
  private int divisor;
  private boolean txInterrupt;

  public Ns16550(String id, IrqLine irq, CharBackend backend) {
    super("ns16550a", id);
    this.irq = irq;
    this.backend = backend;
    this.region = new MmioRegion("serial", SIZE, this, lock());
    resetEnter();
    backend.connect(this);
  }

  public MmioRegion region() {
    return region;
  }

  @Override
  public AccessSizes accessSizes() {
    return AccessSizes.BYTE;
  }

  // ---- input, on the back end's thread ----

  @Override
  public int canReceive() {
    lock().lock();
    try {
      return capacity() - count;
    } finally {
      lock().unlock();
    }
  }

  private int capacity() {
    return (fcr & FCR_ENABLE) != 0 ? FIFO : 1;
  }

  @Override
  public void receive(byte[] data, int offset, int length) {
    lock().lock();
    try {
      for (int i = 0; i < length; i++) {
        push(data[offset + i]);
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
      push((byte) 0);
      lsr |= LSR_BREAK;
      update();
    } finally {
      lock().unlock();
    }
  }

  private void push(byte value) {
    if (count == capacity()) {
      lsr |= LSR_OVERRUN;
      return;
    }
    fifo[(head + count++) % FIFO] = value;
    lsr |= LSR_READY;
  }

  // ---- registers ----

  @Override
  public long read(long offset, int width) {
    int value =
        switch ((int) offset) {
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
    return value;
  }

  private int readData() {
    if (count == 0) {
      return 0;
    }
    int value = fifo[head] & 0xff;
    head = (head + 1) % FIFO;
    count--;
    if (count == 0) {
      lsr &= ~LSR_READY;
    }
    update();
    if ((mcr & MCR_LOOP) == 0) {
      backend.acceptInput();
    }
    return value;
  }

  private int readIdentification() {
    int id = identification();
    if ((id & 0xf) == 2) {
      txInterrupt = false;
      update();
    }
    return id;
  }

  private int identification() {
    int fifoBits = (fcr & FCR_ENABLE) != 0 ? 0xc0 : 0;
    if ((ier & IER_LINE) != 0 && (lsr & LSR_ERRORS) != 0) {
      return fifoBits | 6;
    }
    if ((ier & IER_RX) != 0 && count > 0) {
      // Below the trigger level the character timeout would come within four character times: it comes at once.
      return fifoBits | ((fcr & FCR_ENABLE) == 0 || count >= TRIGGER[fcr >>> 6 & 3] ? 4 : 12);
    }
    if ((ier & IER_TX) != 0 && txInterrupt) {
      return fifoBits | 2;
    }
    if ((ier & IER_MODEM) != 0 && modemDelta != 0) {
      return fifoBits;
    }
    return fifoBits | 1;
  }

  private int readLineStatus() {
    int value = lsr;
    lsr &= ~LSR_ERRORS;
    update();
    return value;
  }

  private int readModemStatus() {
    int value;
    if ((mcr & MCR_LOOP) != 0) {
      value = (mcr & 2) << 3 | (mcr & 1) << 5 | (mcr & 4) << 4 | (mcr & 8) << 4;
    } else {
      value = msr;
    }
    value |= modemDelta;
    modemDelta = 0;
    update();
    return value;
  }

  @Override
  public void write(long offset, int width, long data) {
    int value = (int) data & 0xff;
    switch ((int) offset) {
      case 0 -> {
        if ((lcr & LCR_DLAB) != 0) {
          divisor = divisor & 0xff00 | value;
        } else {
          transmit(value);
        }
      }
      case 1 -> {
        if ((lcr & LCR_DLAB) != 0) {
          divisor = divisor & 0xff | value << 8;
        } else {
          // Enabling the transmitter interrupt while the register is empty raises it.
          if ((value & IER_TX) != 0 && (ier & IER_TX) == 0) {
            txInterrupt = true;
          }
          ier = value & 0xf;
        }
      }
      case 2 -> {
        if ((value & 2) != 0 || ((value ^ fcr) & FCR_ENABLE) != 0) {
          head = 0;
          count = 0;
          lsr &= ~LSR_READY;
        }
        fcr = value & 0xc9;
      }
      case 3 -> lcr = value;
      case 4 -> mcr = value & 0x1f;
      case 7 -> scratch = value;
      default -> {}
    }
    update();
    if (offset == 2 && (mcr & MCR_LOOP) == 0) {
      backend.acceptInput();
    }
  }

  private void transmit(int value) {
    if ((mcr & MCR_LOOP) != 0) {
      push((byte) value);
    } else {
      one[0] = (byte) value;
      backend.write(one, 0, 1);
    }
    txInterrupt = true;
  }

  private void update() {
    irq.set((identification() & 1) == 0);
  }

  // ---- reset and state ----

  @Override
  public void resetEnter() {
    head = 0;
    count = 0;
    ier = 0;
    fcr = 0;
    lcr = 0;
    mcr = 8;
    lsr = LSR_THR_EMPTY | LSR_IDLE;
    msr = 0xb0;
    modemDelta = 0;
    scratch = 0;
    divisor = 12;
    txInterrupt = false;
  }

  @Override
  public void resetHold() {
    irq.set(false);
  }

  @Override
  public void save(StateWriter out) {
    byte[] input = new byte[count];
    for (int i = 0; i < count; i++) {
      input[i] = fifo[(head + i) % FIFO];
    }
    out.putBytes("fifo", input);
    out.putInts("registers", ier, fcr, lcr, mcr, lsr, msr, modemDelta, scratch, divisor);
    out.putBoolean("txInterrupt", txInterrupt);
  }

  @Override
  public void load(StateReader in, int version) throws StateException {
    byte[] input = in.getBytes("fifo");
    if (input.length > FIFO) {
      throw new StateException("section " + id() + ", field fifo: " + input.length + " bytes");
    }
    System.arraycopy(input, 0, fifo, 0, input.length);
    head = 0;
    count = input.length;
    long[] r = in.getLongs("registers", 9);
    ier = (int) r[0] & 0xf;
    fcr = (int) r[1] & 0xc9;
    lcr = (int) r[2] & 0xff;
    mcr = (int) r[3] & 0x1f;
    lsr = (int) r[4] & 0x7f;
    msr = (int) r[5] & 0xff;
    modemDelta = (int) r[6] & 0xf;
    scratch = (int) r[7] & 0xff;
    divisor = (int) r[8] & 0xffff;
    txInterrupt = in.getBoolean("txInterrupt");
    update();
  }

  @Override
  public void close() {
    backend.close();
  }
}
