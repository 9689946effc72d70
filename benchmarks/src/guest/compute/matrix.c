/* The product of two 224 x 224 matrices of doubles: fused multiply and add, strided loads. */
#include "guest.h"

#define SIZE SIZED(224, 24)

const char program_name[] = "matrix";
const uint64_t known_answer = SIZED(0x9662df0bc97a5780, 0xef913975ef7796f8);
static double a[SIZE][SIZE];
static double b[SIZE][SIZE];
static double c[SIZE][SIZE];

uint64_t iteration(void) {
  uint64_t state = 7;
  for (int i = 0; i < SIZE; i++) {
    for (int j = 0; j < SIZE; j++) {
      a[i][j] = random_next(&state) * 0x1p-32;
      b[i][j] = random_next(&state) * 0x1p-32 - 0.5;
    }
  }
  for (int i = 0; i < SIZE; i++) {
    for (int j = 0; j < SIZE; j++) {
      double sum = 0;
      for (int k = 0; k < SIZE; k++) {
        sum = __builtin_fma(a[i][k], b[k][j], sum);
      }
      c[i][j] = sum;
    }
  }
  uint64_t checksum = 0;
  for (int i = 0; i < SIZE; i++) {
    for (int j = 0; j < SIZE; j++) {
      union {
        double value;
        uint64_t bits;
      } cell = {c[i][j]};
      checksum = checksum * 31 + cell.bits;
    }
  }
  return checksum;
}
