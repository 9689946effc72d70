/* The sieve of Eratosthenes over one million bytes: strided stores, tight loops, no calls. */
#include "guest.h"

#define LIMIT SIZED(1000000, 10000)

const char program_name[] = "sieve";
const uint64_t known_answer = 12 * SIZED(78498, 1229);
static uint8_t composite[LIMIT];

uint64_t iteration(void) {
  uint64_t primes = 0;
  for (int round = 0; round < 12; round++) {
    for (int i = 0; i < LIMIT; i++) {
      composite[i] = 0;
    }
    for (int i = 2; i * i < LIMIT; i++) {
      if (!composite[i]) {
        for (int j = i * i; j < LIMIT; j += i) {
          composite[j] = 1;
        }
      }
    }
    for (int i = 2; i < LIMIT; i++) {
      primes += !composite[i];
    }
  }
  return primes;
}
