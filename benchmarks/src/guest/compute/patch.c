/*
 * Code that rewrites itself, as a just-in-time compiler does with its inline caches: one of 64 functions on a page is
 * made anew, announced, and then called a few times together with its neighbours.
 */
#include "guest.h"

#define FUNCTIONS 64u
#define SPACING 64u
#define REWRITES SIZED(20000u, 500u)
#define CALLS 32u

const char program_name[] = "patch";
const uint64_t known_answer = SIZED(0x75daa247ed0b1a0c, 0xb07d3a9231b70476);
uint64_t operations = REWRITES;

typedef uint64_t (*function)(uint64_t);

uint64_t iteration(void) {
  uint8_t *code = code_page();
  uint64_t state = 9;
  uint64_t value = 0;
  for (uint32_t i = 0; i < FUNCTIONS; i++) {
    uint8_t *at = code + i * SPACING;
    code_written(at, write_adder(at, i));
  }
  for (uint32_t i = 0; i < REWRITES; i++) {
    uint32_t random = random_next(&state);
    uint32_t changed = random % FUNCTIONS;
    uint8_t *at = code + changed * SPACING;
    code_written(at, write_adder(at, random >> 8 & 2047));
    for (uint32_t call = 0; call < CALLS; call++) {
      value = ((function)(code + (changed + call / 4) % FUNCTIONS * SPACING))(value);
    }
    value = value * 31 + i;
  }
  return value;
}
