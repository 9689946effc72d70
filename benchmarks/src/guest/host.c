/* Linux on the host: the same programs as processes, which shows what the machine could do without an emulator. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

#include "guest.h"

static void (*shared_work)(unsigned hart);

void put_char(char c) {
  putchar(c);
}

uint64_t ticks(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 10000000 + (uint64_t)now.tv_nsec / 100;
}

uint64_t instructions(void) {
  return 0;
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  return run_benchmark();
}

static void *thread_body(void *hart) {
  shared_work((unsigned)(uintptr_t)hart);
  return NULL;
}

void on_each_hart(void (*work)(unsigned hart)) {
  pthread_t threads[HARTS];
  shared_work = work;
  for (uintptr_t hart = 1; hart < HARTS; hart++) {
    pthread_create(&threads[hart], NULL, thread_body, (void *)hart);
  }
  work(0);
  for (unsigned hart = 1; hart < HARTS; hart++) {
    pthread_join(threads[hart], NULL);
  }
}

void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

void *code_page(void) {
  static void *page;
  if (!page) {
    page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  }
  if (page == MAP_FAILED) {
    perror("a page of code");
    page = NULL;
  }
  return page;
}

void *write_adder(void *to, unsigned n) {
#if defined(__x86_64__)
  uint8_t code[8] = {0x48, 0x8d, 0x87, (uint8_t)n, (uint8_t)(n >> 8), 0, 0, 0xc3}; /* lea n(%rdi), %rax; ret */
#elif defined(__aarch64__)
  uint32_t code[2] = {0x91000000 | n << 10, 0xd65f03c0}; /* add x0, x0, n; ret */
#else
#error "write_adder: this processor's code is not known"
#endif
  __builtin_memcpy(to, code, sizeof code);
  return (uint8_t *)to + sizeof code;
}

void code_written(void *from, void *to) {
  __builtin___clear_cache(from, to);
}
