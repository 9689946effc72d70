/*
 * A mixture as in system code: linked records, string copies and comparisons, small functions, switches, a division
 * here and there.
 */
#include "guest.h"

#define ROUNDS SIZED(300000, 3000)
#define NAME_SIZE 32

enum colour { RED, GREEN, BLUE, BLACK };

struct record {
  struct record *next;
  enum colour colour;
  int32_t number;
  char name[NAME_SIZE];
};

const char program_name[] = "records";
const uint64_t known_answer = SIZED(0x60f907beb1cc5abe, 0x1ab923dfdc842d55);
static struct record pool[16];
static int32_t table[64];

__attribute__((noinline)) static void copy_name(char *to, const char *from) {
  while ((*to++ = *from++)) {
  }
}

__attribute__((noinline)) static int compare_names(const char *a, const char *b) {
  while (*a && *a == *b) {
    a++;
    b++;
  }
  return (unsigned char)*a - (unsigned char)*b;
}

__attribute__((noinline)) static enum colour next_colour(enum colour colour, int32_t number) {
  switch (colour) {
    case RED:
      return number & 1 ? GREEN : BLUE;
    case GREEN:
      return number > 100 ? BLACK : RED;
    case BLUE:
      return number % 3 ? RED : BLACK;
    default:
      return RED;
  }
}

__attribute__((noinline)) static void update(struct record *record, int32_t round) {
  struct record *next = record->next;
  next->number = record->number + round;
  next->colour = next_colour(record->colour, next->number);
  if (next->colour == BLACK) {
    next->number = next->number / 7 + 1;
    next->name[20] = (char)('A' + (unsigned)round % 26);
  }
  table[(uint32_t)next->number & 63] += round;
}

uint64_t iteration(void) {
  uint64_t matches = 0;
  for (int i = 0; i < 16; i++) {
    pool[i].next = &pool[(i + 5) & 15];
    pool[i].colour = RED;
    pool[i].number = i;
    copy_name(pool[i].name, "A RECORD WITH A NAME, NUMBER ?");
  }
  for (int i = 0; i < 64; i++) {
    table[i] = 0;
  }
  struct record *record = pool;
  for (int32_t round = 0; round < ROUNDS; round++) {
    update(record, round);
    if (compare_names(record->name, record->next->name) == 0) {
      matches++;
    } else {
      copy_name(record->name, record->next->name);
    }
    record = record->next;
  }
  uint64_t checksum = matches;
  for (int i = 0; i < 64; i++) {
    checksum = checksum * 31 + (uint32_t)table[i];
  }
  return checksum;
}
