/* Contention: every hart takes the same spin lock, by load-reserved and store-conditional, to do very little. */
#include "guest.h"

#define ENTRIES SIZED(1000000u, 4000u)

const char program_name[] = "lock";
const uint64_t known_answer = (uint64_t)(ENTRIES / HARTS) * HARTS;
uint64_t operations = ENTRIES;
static unsigned lock;
static volatile uint64_t counter; /* the lock's */

static void enter(unsigned hart) {
  (void)hart;
  for (unsigned i = 0; i < ENTRIES / HARTS; i++) {
    unsigned free = 0;
    while (!__atomic_compare_exchange_n(&lock, &free, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
      relax();
      free = 0;
    }
    counter++;
    __atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
  }
}

uint64_t iteration(void) {
  counter = 0;
  on_each_hart(enter);
  return counter;
}
