/*
 * A complex Fourier transform of 65536 points in double, and back. The way back must return the integers that went in.
 * Roots of unity come from half-angle formulas, so that every step is an exactly defined IEEE operation.
 */
#include "guest.h"

#define BITS SIZED(16, 7)
#define SIZE (1u << BITS)

struct complex {
  double re;
  double im;
};

const char program_name[] = "fft";
const uint64_t known_answer = SIZED(0xfb81856eedb29608, 0x80f618be2dd8b01b);
static struct complex points[SIZE];
static struct complex roots[SIZE];

static struct complex times(struct complex a, struct complex b) {
  return (struct complex){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

/* roots[i] = exp(2 pi i / SIZE). */
static void make_roots(void) {
  struct complex root = {-1, 0}; /* of order 2 */
  roots[0] = (struct complex){1, 0};
  for (uint32_t step = SIZE / 2; step > 0; step /= 2) {
    for (uint32_t i = 0; i < SIZE; i += 2 * step) {
      roots[i + step] = times(roots[i], root);
    }
    double cosine = __builtin_sqrt((1 + root.re) / 2);
    root = (struct complex){cosine, root.re == -1 ? 1 : root.im / (2 * cosine)};
  }
}

/* In place; direction 1 forth, SIZE - 1 back (without the division by SIZE). */
__attribute__((noinline)) static void transform(uint32_t direction) {
  for (uint32_t i = 0, j = 0; i < SIZE; i++) {
    if (i < j) {
      struct complex swap = points[i];
      points[i] = points[j];
      points[j] = swap;
    }
    uint32_t bit = SIZE >> 1;
    while (j & bit) {
      j ^= bit;
      bit >>= 1;
    }
    j |= bit;
  }
  for (uint32_t half = 1; half < SIZE; half *= 2) {
    uint32_t turn = SIZE / (2 * half) * direction;
    for (uint32_t start = 0; start < SIZE; start += 2 * half) {
      for (uint32_t i = 0; i < half; i++) {
        struct complex *even = &points[start + i];
        struct complex *odd = even + half;
        struct complex turned = times(*odd, roots[turn * i & (SIZE - 1)]);
        *odd = (struct complex){even->re - turned.re, even->im - turned.im};
        *even = (struct complex){even->re + turned.re, even->im + turned.im};
      }
    }
  }
}

uint64_t iteration(void) {
  uint64_t state = 23;
  uint64_t checksum = 0;
  if (roots[0].re == 0) {
    make_roots();
  }
  for (uint32_t i = 0; i < SIZE; i++) {
    points[i].re = random_next(&state) >> 16;
    points[i].im = random_next(&state) >> 16;
  }
  transform(1);
  for (uint32_t i = 0; i < SIZE; i++) {
    union {
      double value;
      uint64_t bits;
    } re = {points[i].re}, im = {points[i].im};
    checksum = checksum * 31 + re.bits + im.bits * 3;
  }
  transform(SIZE - 1);
  state = 23;
  for (uint32_t i = 0; i < SIZE; i++) {
    uint32_t re = (uint32_t)(points[i].re / SIZE + 0.5);
    uint32_t im = (uint32_t)(points[i].im / SIZE + 0.5);
    if (re != random_next(&state) >> 16 || im != random_next(&state) >> 16) {
      return 0;
    }
  }
  return checksum;
}
