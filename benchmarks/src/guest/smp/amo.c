/* Contention: every hart adds to the same word, an atomic instruction each time. */
#include "guest.h"

#define ADDITIONS SIZED(4000000u, 10000u)

const char program_name[] = "amo";
const uint64_t known_answer = (uint64_t)(ADDITIONS / HARTS) * HARTS;
uint64_t operations = ADDITIONS;
static uint64_t counter;

static void add(unsigned hart) {
  (void)hart;
  for (unsigned i = 0; i < ADDITIONS / HARTS; i++) {
    __atomic_fetch_add(&counter, 1, __ATOMIC_RELAXED);
  }
}

uint64_t iteration(void) {
  counter = 0;
  on_each_hart(add);
  return counter;
}
