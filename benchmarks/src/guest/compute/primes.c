/* Counts primes beyond 2^62 by Miller and Rabin's test in Montgomery form: 64-bit multiplications, high halves. */
#include "guest.h"

#define FIRST ((1ull << 62) + 1)
#define RANGE SIZED(120000, 400)

const char program_name[] = "primes";
const uint64_t known_answer = SIZED(2860, 14);

/* a * b / 2^64 modulo the odd number n, where inverse * n = -1 modulo 2^64; n is under 2^63. */
static uint64_t multiply(uint64_t a, uint64_t b, uint64_t n, uint64_t inverse) {
  unsigned __int128 product = (unsigned __int128)a * b;
  uint64_t factor = (uint64_t)product * inverse;
  uint64_t result = (uint64_t)((product + (unsigned __int128)factor * n) >> 64);
  return result >= n ? result - n : result;
}

/* x * 2^64 modulo n, by doubling. */
static uint64_t to_montgomery(uint64_t x, uint64_t n) {
  for (int i = 0; i < 64; i++) {
    x <<= 1;
    x = x >= n ? x - n : x;
  }
  return x;
}

__attribute__((noinline)) static int is_prime(uint64_t n) {
  static const uint8_t bases[] = {2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37};
  uint64_t inverse = 1;
  for (int i = 0; i < 6; i++) {
    inverse *= 2 + n * inverse; /* Newton's iteration for -1 / n */
  }
  for (int i = 1; i < 12; i++) {
    if (n % bases[i] == 0) {
      return 0;
    }
  }
  uint64_t one = to_montgomery(1, n);
  uint64_t odd = n - 1;
  int twos = 0;
  while (!(odd & 1)) {
    odd >>= 1;
    twos++;
  }
  for (int i = 0; i < 12; i++) {
    uint64_t base = to_montgomery(bases[i], n);
    uint64_t power = one;
    for (int bit = 63; bit >= 0; bit--) {
      power = multiply(power, power, n, inverse);
      if (odd >> bit & 1) {
        power = multiply(power, base, n, inverse);
      }
    }
    int passed = power == one || power == n - one;
    for (int j = 1; j < twos && !passed; j++) {
      power = multiply(power, power, n, inverse);
      passed = power == n - one;
    }
    if (!passed) {
      return 0;
    }
  }
  return 1;
}

uint64_t iteration(void) {
  uint64_t primes = 0;
  for (uint64_t n = FIRST; n < FIRST + RANGE; n += 2) {
    primes += (uint64_t)is_prime(n);
  }
  return primes;
}
