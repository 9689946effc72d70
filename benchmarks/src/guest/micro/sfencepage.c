/*
 * Mappings that change one at a time, as copy-on-write does: a page table entry is rewritten, sfence.vma names its page,
 * and that page and 15 others, whose mappings have not changed, are loaded from.
 */
#include "guest.h"
#include "supervisor.h"

#define PAGES 16u
#define FENCES SIZED(30000u, 1000u)

const char program_name[] = "sfencepage";
const uint64_t known_answer = SIZED(0xf0b682bd3e302f00, 0x6e6ba6037be9d800);
uint64_t operations = FENCES;
static uint64_t root[ENTRIES] __attribute__((aligned(4096)));
static uint64_t frames[2 * PAGES][PAGE_SIZE / 8] __attribute__((aligned(4096)));

static uint64_t body(void) {
  uint64_t sum = 0;
  set_satp(satp_of(root, 1));
  fence_all();
  for (unsigned i = 0; i < FENCES; i++) {
    unsigned changed = i * 5 % PAGES;
    uint64_t virtual = WINDOW + changed * PAGE_SIZE;
    map_page(root, virtual, (uint64_t)frames[changed + (i / PAGES % 2 ? 0 : PAGES)], PTE_DATA);
    fence_page(virtual);
    for (unsigned page = 0; page < PAGES; page++) {
      sum = sum * 3 + *(volatile uint64_t *)(WINDOW + page * PAGE_SIZE);
    }
  }
  return sum;
}

uint64_t iteration(void) {
  map_identity(root);
  for (unsigned i = 0; i < 2 * PAGES; i++) {
    frames[i][0] = i + 1;
    if (i < PAGES) {
      map_page(root, WINDOW + i * PAGE_SIZE, (uint64_t)frames[i], PTE_DATA);
    }
  }
  return in_supervisor(body);
}
