/*
 * Runs iteration() ITER times, checks its answer and reports:
 *   BENCH-START name=... iterations=... operations=...        before; operations are of one iteration
 *   BENCH-ITER n=1 ticks=... instructions=... checksum=...    after each; both counts since BENCH-START
 *   BENCH-DONE name=... ticks=... checksum=...                at the end
 *   BENCH-WRONG n=... answer=... expected=...                 instead, as soon as an answer is wrong
 * Ticks are of 10 MHz. `instructions` is minstret, which QEMU only keeps with -icount; 0 on the host.
 */
#include "guest.h"

__attribute__((weak)) uint64_t operations = 1;

void put_text(const char *text) {
  while (*text) {
    put_char(*text++);
  }
}

void put_number(const char *label, uint64_t value, unsigned base) {
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

/* Returns 0 if every answer was right. */
int run_benchmark(void) {
  uint64_t checksum = 0;
  put_text("BENCH-START name=");
  put_text(program_name);
  put_number(" iterations=", ITER, 10);
  put_number(" operations=", operations, 10);
  put_text("\n");
  uint64_t first_tick = ticks();
  uint64_t first_instruction = instructions();
  for (int n = 1; n <= ITER; n++) {
    uint64_t answer = iteration();
    if (answer != known_answer) {
      put_number("BENCH-WRONG n=", (uint64_t)n, 10);
      put_number(" answer=", answer, 16);
      put_number(" expected=", known_answer, 16);
      put_text("\n");
      return 1;
    }
    checksum = checksum * 31 + answer;
    put_number("BENCH-ITER n=", (uint64_t)n, 10);
    put_number(" ticks=", ticks() - first_tick, 10);
    put_number(" instructions=", instructions() - first_instruction, 10);
    put_number(" checksum=", checksum, 16);
    put_text("\n");
  }
  put_text("BENCH-DONE name=");
  put_text(program_name);
  put_number(" ticks=", ticks() - first_tick, 10);
  put_number(" checksum=", checksum, 16);
  put_text("\n");
  return 0;
}
