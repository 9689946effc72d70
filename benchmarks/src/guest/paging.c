#include "supervisor.h"

#include <stddef.h>

#define GIGABYTE (1ull << 30)
#define TABLES 160

/* Tables below the roots, never given back. */
static uint64_t tables[TABLES][ENTRIES] __attribute__((aligned(4096)));
static unsigned tables_used;

void map_identity(uint64_t root[ENTRIES]) {
  root[0] = PTE_DATA | PTE_GLOBAL;
  root[2] = 2 * GIGABYTE >> 2 | PTE_CODE | PTE_GLOBAL;
  root[3] = 2 * GIGABYTE >> 2 | PTE_CODE | PTE_GLOBAL | PTE_USER;
}

/* The table that the entry points to, made if there is none. */
static uint64_t *table_of(uint64_t *entry) {
  if (!*entry) {
    *entry = (uint64_t)tables[tables_used++] >> 2 | PTE_VALID;
  }
  return (uint64_t *)(*entry >> 10 << 12);
}

void map_page(uint64_t root[ENTRIES], uint64_t virtual, uint64_t physical, uint64_t flags) {
  uint64_t *middle = table_of(&root[virtual >> 30 & (ENTRIES - 1)]);
  uint64_t *leaf = table_of(&middle[virtual >> 21 & (ENTRIES - 1)]);
  leaf[virtual >> 12 & (ENTRIES - 1)] = physical >> 12 << 10 | flags;
}
