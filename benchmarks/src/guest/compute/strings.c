/*
 * Text: a page of words is made, split, upper-cased, searched, and its numbers are read and written in decimal. Byte
 * loads and stores, short loops that end unpredictably.
 */
#include "guest.h"

#define TEXT_SIZE SIZED(262144, 4096)
#define SEARCHES 40

const char program_name[] = "strings";
const uint64_t known_answer = SIZED(0xd52f8dc87134445d, 0xdbf279465777add4);

static const char *const words[] = {"lorem", "a",     "Instruction", "of",   "emulated", "machine", "is",     "Zebra",
                                    "the",   "quick", "translation", "page", "fault",    "register", "buffer", "x"};
static char text[TEXT_SIZE + 32];
static char upper[TEXT_SIZE + 32];

__attribute__((noinline)) static size_t length(const char *s) {
  const char *end = s;
  while (*end) {
    end++;
  }
  return (size_t)(end - s);
}

__attribute__((noinline)) static char *append(char *to, const char *from) {
  while (*from) {
    *to++ = *from++;
  }
  return to;
}

__attribute__((noinline)) static char *append_decimal(char *to, uint32_t number) {
  char digits[10];
  int count = 0;
  do {
    digits[count++] = (char)('0' + number % 10);
    number /= 10;
  } while (number);
  while (count) {
    *to++ = digits[--count];
  }
  return to;
}

__attribute__((noinline)) static const char *read_decimal(const char *from, uint32_t *number) {
  uint32_t value = 0;
  while (*from >= '0' && *from <= '9') {
    value = value * 10 + (uint32_t)(*from++ - '0');
  }
  *number = value;
  return from;
}

static void make_text(void) {
  uint64_t state = 5;
  char *to = text;
  while (to < text + TEXT_SIZE - 32) {
    uint32_t random = random_next(&state);
    to = random % 5 ? append(to, words[random >> 8 & 15]) : append_decimal(to, random);
    *to++ = random % 11 ? ' ' : '\n';
  }
  *to = 0;
}

/* Occurrences of the word, by comparing from its end and skipping by a table of its letters (Horspool). */
__attribute__((noinline)) static uint32_t occurrences(const char *haystack, size_t size, const char *word) {
  uint8_t skip[256];
  size_t last = length(word) - 1;
  uint32_t found = 0;
  for (int i = 0; i < 256; i++) {
    skip[i] = (uint8_t)(last + 1);
  }
  for (size_t i = 0; i < last; i++) {
    skip[(uint8_t)word[i]] = (uint8_t)(last - i);
  }
  for (size_t at = 0; at + last < size; at += skip[(uint8_t)haystack[at + last]]) {
    size_t i = last;
    while (haystack[at + i] == word[i]) {
      if (i-- == 0) {
        found++;
        break;
      }
    }
  }
  return found;
}

uint64_t iteration(void) {
  make_text();
  size_t size = length(text);
  uint64_t checksum = size;
  for (size_t i = 0; i <= size; i++) {
    char c = text[i];
    upper[i] = c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
  }
  const char *at = text;
  while (*at) {
    if (*at >= '0' && *at <= '9') {
      uint32_t number;
      at = read_decimal(at, &number);
      checksum = checksum * 31 + number;
    } else {
      const char *end = at;
      while (*end && *end != ' ' && *end != '\n') {
        end++;
      }
      checksum += (uint64_t)(end - at);
      at = *end ? end + 1 : end;
    }
  }
  for (int i = 0; i < SEARCHES; i++) {
    checksum = checksum * 33 + occurrences(i & 1 ? upper : text, size, i & 2 ? "translation" : words[i & 15]);
  }
  return checksum;
}
