/* Device registers: the serial port's line status is read, and a priority of the interrupt controller written and read. */
#include "guest.h"

#define UART_LSR (*(volatile uint8_t *)0x10000005)
#define PLIC_PRIORITY (*(volatile uint32_t *)(0x0c000000 + 4 * 10))
#define ACCESSES SIZED(300000u, 3000u)

const char program_name[] = "mmio";
/* The transmitter is empty whenever it is looked at between two reports. */
const uint64_t known_answer = ACCESSES / 3 * 0x20 + ACCESSES / 3 / 8 * 28 + (ACCESSES / 3 % 8) * (ACCESSES / 3 % 8 - 1) / 2;
uint64_t operations = ACCESSES;

uint64_t iteration(void) {
  uint64_t sum = 0;
  while (!(UART_LSR & 0x40)) {
  }
  for (unsigned i = 0; i < ACCESSES / 3; i++) {
    sum += UART_LSR & 0x20;
    PLIC_PRIORITY = i % 8;
    sum += PLIC_PRIORITY;
  }
  return sum;
}
