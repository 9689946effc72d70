/* A system call as kernels do it: from user to supervisor mode under Sv39, all registers saved and restored. */
#include "guest.h"
#include "supervisor.h"

#define CALLS SIZED(100000, 1000)

const char program_name[] = "syscall";
const uint64_t known_answer = CALLS;
uint64_t operations = CALLS;
static uint64_t root[ENTRIES] __attribute__((aligned(4096)));

static uint64_t body(void) {
  set_satp(satp_of(root, 1));
  fence_all();
  return system_calls(CALLS);
}

uint64_t iteration(void) {
  map_identity(root);
  return in_supervisor(body);
}
