/* Quicksort of half a million pseudo-random numbers: unpredictable branches, recursion, loads and stores. */
#include "guest.h"

#define COUNT SIZED(500000, 5000)

const char program_name[] = "sort";
const uint64_t known_answer = SIZED(0xe13394543f4a0b98, 0x95d996c1a6ca9d31);
static int32_t values[COUNT];

__attribute__((noinline)) static void quicksort(int32_t *low, int32_t *high) {
  while (low < high) {
    int32_t pivot = low[(high - low) / 2];
    int32_t *left = low;
    int32_t *right = high;
    while (left <= right) {
      while (*left < pivot) {
        left++;
      }
      while (*right > pivot) {
        right--;
      }
      if (left <= right) {
        int32_t swap = *left;
        *left++ = *right;
        *right-- = swap;
      }
    }
    quicksort(low, right);
    low = left;
  }
}

uint64_t iteration(void) {
  uint64_t state = 42;
  uint64_t checksum = 0;
  for (int i = 0; i < COUNT; i++) {
    values[i] = (int32_t)random_next(&state);
  }
  quicksort(values, values + COUNT - 1);
  for (int i = 0; i < COUNT; i++) {
    checksum = checksum * 33 + (uint32_t)values[i];
  }
  return checksum;
}
