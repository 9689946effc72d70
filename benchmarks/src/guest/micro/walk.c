/*
 * Page table walks: one load from each of 32768 pages (of one megabyte of memory), in an order that strides, and the
 * whole TLB is thrown away before the next round. However large an emulator's TLB is, every load walks three levels.
 */
#include "guest.h"
#include "supervisor.h"

#define PAGES SIZED(32768u, 1024u)
#define FRAMES 256u
#define ROUNDS SIZED(6u, 2u)

const char program_name[] = "walk";
const uint64_t known_answer = (uint64_t)ROUNDS * (PAGES / FRAMES) * (FRAMES * (FRAMES - 1) / 2);
uint64_t operations = ROUNDS * PAGES;
static uint64_t root[ENTRIES] __attribute__((aligned(4096)));
static uint64_t frames[FRAMES][PAGE_SIZE / 8] __attribute__((aligned(4096)));

static uint64_t body(void) {
  uint64_t sum = 0;
  set_satp(satp_of(root, 1));
  for (unsigned round = 0; round < ROUNDS; round++) {
    fence_all();
    for (unsigned i = 0; i < PAGES; i++) {
      sum += *(volatile uint64_t *)(WINDOW + (uint64_t)(i * 37 % PAGES) * PAGE_SIZE);
    }
  }
  return sum;
}

uint64_t iteration(void) {
  if (!root[0]) {
    map_identity(root);
    for (unsigned i = 0; i < PAGES; i++) {
      map_page(root, WINDOW + (uint64_t)i * PAGE_SIZE, (uint64_t)frames[i % FRAMES], PTE_DATA);
    }
    for (unsigned i = 0; i < FRAMES; i++) {
      frames[i][0] = i;
    }
  }
  return in_supervisor(body);
}
