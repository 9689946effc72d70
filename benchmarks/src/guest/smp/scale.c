/*
 * Work that harts share: the lengths of Collatz sequences, handed out in small portions so that no hart has to wait for
 * another at the end. The same work whatever the number of harts.
 */
#include "guest.h"

#define NUMBERS SIZED(600000u, 3000u)
#define PORTION 500u

const char program_name[] = "scale";
const uint64_t known_answer = SIZED(75668736, 215063);
static unsigned next_number;
static uint64_t total;

static void work(unsigned hart) {
  (void)hart;
  uint64_t steps = 0;
  for (;;) {
    unsigned first = __atomic_fetch_add(&next_number, PORTION, __ATOMIC_RELAXED);
    if (first >= NUMBERS) {
      break;
    }
    for (uint64_t start = first + 1; start <= first + PORTION; start++) {
      for (uint64_t n = start; n != 1; n = n & 1 ? 3 * n + 1 : n / 2) {
        steps++;
      }
    }
  }
  __atomic_fetch_add(&total, steps, __ATOMIC_RELAXED);
}

uint64_t iteration(void) {
  next_number = 0;
  total = 0;
  on_each_hart(work);
  return total;
}
