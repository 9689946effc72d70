/* Fibonacci numbers by double recursion: calls, returns and stack traffic and little else. */
#include "guest.h"

const char program_name[] = "fib";
const uint64_t known_answer = SIZED(832040 + 317811, 2584 + 987);

/* Kept from being unrolled into itself: the calls are what is measured. */
__attribute__((noinline, optimize("no-optimize-sibling-calls", "no-inline"))) static uint64_t fib(unsigned n) {
  return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

uint64_t iteration(void) {
  return fib(SIZED(30, 18)) + fib(SIZED(28, 16));
}
