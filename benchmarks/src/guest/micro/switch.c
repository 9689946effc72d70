/*
 * Context switches: satp goes to and fro between two address spaces with numbers of their own. In each, a function at
 * the same virtual address is called, and four pages are loaded from and stored to.
 */
#include "guest.h"
#include "supervisor.h"

#define SPACES 2u
#define PAGES 4u
#define SWITCHES SIZED(50000u, 1000u)
#define DATA (WINDOW + PAGE_SIZE)

const char program_name[] = "switch";
const uint64_t known_answer = SIZED(0x4d982cc980aeb008, 0xeb958b991fee5e4);
uint64_t operations = SWITCHES;
static uint64_t roots[SPACES][ENTRIES] __attribute__((aligned(4096)));
static uint64_t code[SPACES][PAGE_SIZE / 8] __attribute__((aligned(4096)));
static uint64_t data[SPACES][PAGES][PAGE_SIZE / 8] __attribute__((aligned(4096)));

static uint64_t body(void) {
  uint64_t (*function)(uint64_t) = (uint64_t (*)(uint64_t))WINDOW;
  uint64_t sum = 0;
  for (unsigned i = 0; i < SWITCHES; i++) {
    set_satp(satp_of(roots[i % SPACES], 1 + i % SPACES));
    sum = function(sum * 3);
    for (unsigned page = 0; page < PAGES; page++) {
      volatile uint64_t *value = (volatile uint64_t *)(DATA + page * PAGE_SIZE);
      *value += 1;
      sum += *value;
    }
  }
  return sum;
}

uint64_t iteration(void) {
  for (unsigned space = 0; space < SPACES; space++) {
    map_identity(roots[space]);
    if (!code[space][0]) {
      map_page(roots[space], WINDOW, (uint64_t)code[space], PTE_CODE);
      code_written(code[space], write_adder(code[space], 5 + space));
    }
    for (unsigned page = 0; page < PAGES; page++) {
      map_page(roots[space], DATA + page * PAGE_SIZE, (uint64_t)data[space][page], PTE_DATA);
      data[space][page][0] = space;
    }
  }
  return in_supervisor(body);
}
