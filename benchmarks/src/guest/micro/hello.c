/* Nothing: what counts is when its first line comes. */
#include "guest.h"

const char program_name[] = "hello";
const uint64_t known_answer = 1;

uint64_t iteration(void) {
  return 1;
}
