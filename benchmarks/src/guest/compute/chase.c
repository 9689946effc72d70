/* Follows a chain of pointers that visits every cache line of 64 MiB once, in random order: loads and soft TLB misses. */
#include "guest.h"

#define NODES SIZED(1 << 20, 1 << 10)

struct node {
  struct node *next;
  uint64_t number;
  uint64_t padding[6];
};

const char program_name[] = "chase";
const uint64_t known_answer = (uint64_t)NODES * (NODES - 1) / 2;
static struct node nodes[NODES] __attribute__((aligned(64)));

/* One cycle through all nodes (Sattolo's shuffle). */
static void make_cycle(void) {
  uint64_t state = 3;
  for (uint32_t i = 0; i < NODES; i++) {
    nodes[i].next = &nodes[i];
    nodes[i].number = i;
  }
  for (uint32_t i = NODES - 1; i > 0; i--) {
    uint32_t other = random_next(&state) % i;
    struct node *swap = nodes[i].next;
    nodes[i].next = nodes[other].next;
    nodes[other].next = swap;
  }
}

uint64_t iteration(void) {
  uint64_t sum = 0;
  if (!nodes[0].next) {
    make_cycle();
  }
  struct node *node = nodes;
  for (uint32_t i = 0; i < NODES; i++) {
    sum += node->number;
    node = node->next;
  }
  return node == nodes ? sum : 0;
}
