/* A trap and the return from it: supervisor mode calls machine mode, which does nothing. */
#include "guest.h"
#include "supervisor.h"

#define CALLS SIZED(200000, 2000)

const char program_name[] = "trap";
const uint64_t known_answer = CALLS;
uint64_t operations = CALLS;

static uint64_t body(void) {
  uint64_t calls = 0;
  for (; calls < CALLS; calls++) {
    firmware_call();
  }
  return calls;
}

uint64_t iteration(void) {
  return in_supervisor(body);
}
