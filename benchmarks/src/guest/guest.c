/*
 * Runs iteration() ITER times and reports on the serial port:
 *   BENCH-START name=... iterations=...
 *   BENCH-ITER n=1 ticks=... instructions=... checksum=...    after each; both counts since BENCH-START
 *   BENCH-DONE name=... ticks=... checksum=...                then the machine is switched off
 * Ticks are of the machine timer, 10 MHz. `instructions` is minstret, which QEMU only keeps with -icount.
 */
#include "guest.h"

#define UART_THR (*(volatile uint8_t *)0x10000000)
#define UART_LSR (*(volatile uint8_t *)0x10000005)
#define LSR_THR_EMPTY 0x20
#define MTIME (*(volatile uint64_t *)0x0200bff8)
#define TEST_FINISHER (*(volatile uint32_t *)0x00100000)
#define FINISH_PASS 0x5555u
#define FINISH_FAIL 0x3333u

static void put_char(char c) {
  while (!(UART_LSR & LSR_THR_EMPTY)) {
  }
  UART_THR = (uint8_t)c;
}

static void put_text(const char *text) {
  while (*text) {
    put_char(*text++);
  }
}

static void put_number(const char *label, uint64_t value, unsigned base) {
  char digits[24];
  int count = 0;
  do {
    digits[count++] = "0123456789abcdef"[value % base];
    value /= base;
  } while (value);
  put_text(label);
  while (count) {
    put_char(digits[--count]);
  }
}

static uint64_t instructions(void) {
  uint64_t value;
  __asm__ volatile("csrr %0, minstret" : "=r"(value));
  return value;
}

void trapped(uint64_t cause, uint64_t pc, uint64_t value) {
  put_number("BENCH-TRAP cause=", cause, 10);
  put_number(" pc=", pc, 16);
  put_number(" value=", value, 16);
  put_text("\n");
  TEST_FINISHER = FINISH_FAIL | (1u << 16);
}

void main(void) {
  uint64_t checksum = 0;
  put_text("BENCH-START name=");
  put_text(program_name);
  put_number(" iterations=", ITER, 10);
  put_text("\n");
  uint64_t first_tick = MTIME;
  uint64_t first_instruction = instructions();
  for (int n = 1; n <= ITER; n++) {
    checksum = checksum * 31 + iteration();
    put_number("BENCH-ITER n=", (uint64_t)n, 10);
    put_number(" ticks=", MTIME - first_tick, 10);
    put_number(" instructions=", instructions() - first_instruction, 10);
    put_number(" checksum=", checksum, 16);
    put_text("\n");
  }
  put_text("BENCH-DONE name=");
  put_text(program_name);
  put_number(" ticks=", MTIME - first_tick, 10);
  put_number(" checksum=", checksum, 16);
  put_text("\n");
  TEST_FINISHER = FINISH_PASS;
}

void *memset(void *to, int value, size_t size) {
  unsigned char *p = to;
  while (size--) {
    *p++ = (unsigned char)value;
  }
  return to;
}

void *memcpy(void *to, const void *from, size_t size) {
  unsigned char *p = to;
  const unsigned char *q = from;
  while (size--) {
    *p++ = *q++;
  }
  return to;
}
