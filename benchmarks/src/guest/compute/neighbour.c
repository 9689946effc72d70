/* Data beside running code: counters on the page of a function that is called all the time, which never changes. */
#include "guest.h"

#define CALLS SIZED(500000u, 2000u)
#define COUNTERS 16u

const char program_name[] = "neighbour";
const uint64_t known_answer = SIZED(0x912df74733d0aa98, 0x81dbe13d9f5f84f0);
uint64_t operations = CALLS;

typedef uint64_t (*function)(uint64_t);

uint64_t iteration(void) {
  uint8_t *code = code_page();
  volatile uint64_t *counters = (volatile uint64_t *)(void *)(code + 2048);
  uint64_t checksum = 0;
  code_written(code, write_adder(code, 3));
  for (uint32_t i = 0; i < COUNTERS; i++) {
    counters[i] = i;
  }
  for (uint32_t i = 0; i < CALLS; i++) {
    volatile uint64_t *counter = &counters[i * 7 % COUNTERS];
    *counter = ((function)code)(*counter) + i;
  }
  for (uint32_t i = 0; i < COUNTERS; i++) {
    checksum = checksum * 31 + counters[i];
  }
  return checksum;
}
