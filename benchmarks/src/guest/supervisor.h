/* Supervisor and user mode under Sv39, for the programs in micro/; bare metal only. */
#ifndef SUPERVISOR_H
#define SUPERVISOR_H

#include <stdint.h>

#define PAGE_SIZE 4096u
#define ENTRIES 512u

#define PTE_VALID 1u
#define PTE_READ 2u
#define PTE_WRITE 4u
#define PTE_EXECUTE 8u
#define PTE_USER 16u
#define PTE_GLOBAL 32u
#define PTE_ACCESSED 64u
#define PTE_DIRTY 128u
/* What data and code pages have; accessed and dirty are set so that nobody needs to do it later. */
#define PTE_DATA (PTE_VALID | PTE_READ | PTE_WRITE | PTE_ACCESSED | PTE_DIRTY)
#define PTE_CODE (PTE_DATA | PTE_EXECUTE)

/* Where pages can be mapped: the second gigabyte, which is nothing else's. */
#define WINDOW 0x40000000ull
/* Where user mode sees the whole of RAM: the gigabyte after it. */
#define USER_OFFSET 0x40000000ull

/*
 * Runs the function in supervisor mode, with no translation until it writes satp, and returns what it returns.
 * Back in machine mode satp is 0 again.
 */
uint64_t in_supervisor(uint64_t (*function)(void));

/* From supervisor mode: an ecall that machine mode answers at once. */
void firmware_call(void);

/* From supervisor mode: goes to user mode, which does so many system calls, and comes back. Returns their number. */
uint64_t system_calls(uint64_t count);

/* A whole address space as everybody needs it: devices and RAM where they are, RAM at USER_OFFSET for user mode. */
void map_identity(uint64_t root[ENTRIES]);

/* Maps the page at the virtual address in WINDOW to the one at the physical address. */
void map_page(uint64_t root[ENTRIES], uint64_t virtual, uint64_t physical, uint64_t flags);

/* The value of satp for Sv39 with that root and address space number. */
static inline uint64_t satp_of(const uint64_t *root, uint64_t asid) {
  return 8ull << 60 | asid << 44 | (uint64_t)root >> 12;
}

static inline void set_satp(uint64_t value) {
  __asm__ volatile("csrw satp, %0" ::"r"(value) : "memory");
}

static inline void fence_all(void) {
  __asm__ volatile("sfence.vma zero, zero" ::: "memory");
}

static inline void fence_page(uint64_t virtual) {
  __asm__ volatile("sfence.vma %0, zero" ::"r"(virtual) : "memory");
}

#endif
