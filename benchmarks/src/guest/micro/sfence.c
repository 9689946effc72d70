/* A storm of TLB flushes: sfence.vma of everything, then a load from each of four pages. */
#include "guest.h"
#include "supervisor.h"

#define PAGES 4u
#define FENCES SIZED(30000u, 1000u)

const char program_name[] = "sfence";
const uint64_t known_answer = FENCES * (PAGES * (PAGES + 1) / 2);
uint64_t operations = FENCES;
static uint64_t root[ENTRIES] __attribute__((aligned(4096)));
static uint64_t frames[PAGES][PAGE_SIZE / 8] __attribute__((aligned(4096)));

static uint64_t body(void) {
  uint64_t sum = 0;
  set_satp(satp_of(root, 1));
  for (unsigned i = 0; i < FENCES; i++) {
    fence_all();
    for (unsigned page = 0; page < PAGES; page++) {
      sum += *(volatile uint64_t *)(WINDOW + page * PAGE_SIZE);
    }
  }
  return sum;
}

uint64_t iteration(void) {
  map_identity(root);
  for (unsigned i = 0; i < PAGES; i++) {
    map_page(root, WINDOW + i * PAGE_SIZE, (uint64_t)frames[i], PTE_DATA);
    frames[i][0] = i + 1;
  }
  return in_supervisor(body);
}
