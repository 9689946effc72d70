/* What a bare-metal benchmark needs: console, time, and the loop that runs and reports the iterations. */
#ifndef GUEST_H
#define GUEST_H

#include <stddef.h>
#include <stdint.h>

#ifndef ITER
#define ITER 20
#endif

/* The name of the program, in its report. */
extern const char program_name[];

/* One iteration of the program's work; must always do the same work. Returns a checksum of it. */
uint64_t iteration(void);

/* A fixed sequence of pseudo-random numbers (a 64-bit linear congruential generator's upper half). */
static inline uint32_t random_next(uint64_t *state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(*state >> 32);
}

#endif
