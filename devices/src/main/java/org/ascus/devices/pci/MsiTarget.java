package org.ascus.devices.pci;

/** What takes message-signalled interrupts on a board. May be called by any thread and returns at once. */
@FunctionalInterface
public interface MsiTarget {
  /** A board without a controller for messages: they get lost. */
  MsiTarget NONE = (address, data) -> {};

  /**
   * A function wrote its message.
   *
   * @param address guest-physical, as the driver set it
   * @param data 32 bits
   */
  void message(long address, int data);
}
