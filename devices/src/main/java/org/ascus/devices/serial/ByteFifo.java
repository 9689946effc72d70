package org.ascus.devices.serial;

import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;

/** A queue of at most 16 characters, each with line status bits of its own. */
final class ByteFifo {
  static final int CAPACITY = 16;

  private final int[] entries = new int[CAPACITY];
  private int head;
  private int count;

  int count() {
    return count;
  }

  boolean isEmpty() {
    return count == 0;
  }

  /** Adds a character; there must be room. */
  void add(int value, int status) {
    entries[(head + count) % CAPACITY] = value & 0xff | status << 8;
    count++;
  }

  /** Takes the oldest character; there must be one. */
  int take() {
    int value = entries[head] & 0xff;
    head = (head + 1) % CAPACITY;
    count--;
    return value;
  }

  /** Status bits of the oldest character. */
  int status() {
    return count == 0 ? 0 : entries[head] >>> 8;
  }

  void clearStatus() {
    entries[head] &= 0xff;
  }

  /** Status bits of all characters together. */
  int anyStatus() {
    int status = 0;
    for (int i = 0; i < count; i++) {
      status |= entries[(head + i) % CAPACITY] >>> 8;
    }
    return status;
  }

  void clear() {
    head = 0;
    count = 0;
  }

  void save(StateWriter out, String field) {
    int[] values = new int[count];
    for (int i = 0; i < count; i++) {
      values[i] = entries[(head + i) % CAPACITY];
    }
    out.putInts(field, values);
  }

  /** Loads; status bits outside {@code statusMask} are dropped. */
  void load(StateReader in, String field, int statusMask) throws StateException {
    long[] values = in.getLongs(field);
    if (values.length > CAPACITY) {
      throw new StateException("field " + field + ": " + values.length + " characters in a FIFO of " + CAPACITY);
    }
    clear();
    for (long value : values) {
      add((int) value & 0xff, (int) (value >>> 8) & statusMask);
    }
  }
}
