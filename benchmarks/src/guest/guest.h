/* What a benchmark program needs of the platform under it, which is bare metal (guest.c) or Linux (host.c). */
#ifndef GUEST_H
#define GUEST_H

#include <stddef.h>
#include <stdint.h>

/* How often the work is done. */
#ifndef ITER
#define ITER 20
#endif

/* How many harts the machine has; the programs that use one alone don't care. */
#ifndef HARTS
#define HARTS 1
#endif

/* A size or answer of the full program, or of the small one that tests run. */
#ifdef SMALL
#define SIZED(full, small) (small)
#else
#define SIZED(full, small) (full)
#endif

/* --- what a program defines --- */

/* Its name, in its report. */
extern const char program_name[];

/* What iteration() must return: every iteration is checked. */
extern const uint64_t known_answer;

/* Operations in an iteration, where one can be told from the next; 1 unless the program says otherwise. */
extern uint64_t operations;

/* One iteration of the program's work; must always do the same work. Returns a checksum of it. */
uint64_t iteration(void);

/* --- what the platform gives --- */

/* Runs the work on every hart at once and returns when all are through; this hart is number 0. */
void on_each_hart(void (*work)(unsigned hart));

/* A page of 4096 bytes that can be written and executed. */
void *code_page(void);

/* Makes the function that adds n, 0 to 2047, to its argument. Returns the address after it, 4-byte aligned. */
void *write_adder(void *to, unsigned n);

/* Tells the processor that there is new code in the range. */
void code_written(void *from, void *to);

/* Waits a little in a spinning loop. */
void relax(void);

/* --- the platform's side of the report, see bench.c --- */

void put_char(char c);
uint64_t ticks(void);
uint64_t instructions(void);
int run_benchmark(void);

/* A fixed sequence of pseudo-random numbers (a 64-bit linear congruential generator's upper half). */
static inline uint32_t random_next(uint64_t *state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(*state >> 32);
}

#endif
