/* A hash table with open addressing, 4 MiB: inserts, look-ups that hit and miss, and deletions. */
#include "guest.h"

#define SLOTS SIZED(1u << 18, 1u << 10)
#define KEYS (SLOTS / 2)

struct slot {
  uint64_t key; /* 0: free */
  uint64_t value;
};

const char program_name[] = "hash";
const uint64_t known_answer = SIZED(0xca176c517dc5ddcb, 0x2a1308ee3efe9d0d);
static struct slot slots[SLOTS];

static uint32_t home(uint64_t key) {
  key ^= key >> 31;
  key *= 0x9e3779b97f4a7c15u;
  return (uint32_t)(key >> 40) & (SLOTS - 1);
}

/* The key's slot, or the free one where it belongs. */
__attribute__((noinline)) static struct slot *find(uint64_t key) {
  uint32_t at = home(key);
  while (slots[at].key && slots[at].key != key) {
    at = (at + 1) & (SLOTS - 1);
  }
  return &slots[at];
}

/* Removes the key and moves up what had to make room for it. */
__attribute__((noinline)) static void delete(uint64_t key) {
  uint32_t hole = (uint32_t)(find(key) - slots);
  if (!slots[hole].key) {
    return;
  }
  for (uint32_t at = (hole + 1) & (SLOTS - 1); slots[at].key; at = (at + 1) & (SLOTS - 1)) {
    uint32_t distance = (at - home(slots[at].key)) & (SLOTS - 1);
    if (distance >= ((at - hole) & (SLOTS - 1))) {
      slots[hole] = slots[at];
      hole = at;
    }
  }
  slots[hole].key = 0;
}

uint64_t iteration(void) {
  uint64_t state = 17;
  uint64_t checksum = 0;
  for (uint32_t i = 0; i < SLOTS; i++) {
    slots[i].key = 0;
  }
  for (uint32_t i = 0; i < KEYS; i++) {
    uint64_t key = random_next(&state) | 1;
    struct slot *slot = find(key);
    slot->value = slot->key ? slot->value + 1 : i;
    slot->key = key;
  }
  state = 17;
  for (uint32_t i = 0; i < KEYS; i++) {
    uint64_t key = random_next(&state) | 1;
    checksum += find(key)->value;
    checksum += find(key ^ 2)->key;
    if (i % 3 == 0) {
      delete(key);
    }
  }
  for (uint32_t i = 0; i < SLOTS; i++) {
    checksum = checksum * 31 + slots[i].key;
  }
  return checksum;
}
