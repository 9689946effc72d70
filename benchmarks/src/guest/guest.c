/* The bare RISC-V `virt` board: console, timer, power switch, harts and code. Hart 0 enters at main. */
#include "guest.h"

#define UART_THR (*(volatile uint8_t *)0x10000000)
#define UART_LSR (*(volatile uint8_t *)0x10000005)
#define LSR_THR_EMPTY 0x20
#define MSIP ((volatile uint32_t *)0x02000000)
#define MTIME (*(volatile uint64_t *)0x0200bff8)
#define TEST_FINISHER (*(volatile uint32_t *)0x00100000)
#define FINISH_PASS 0x5555u
#define FINISH_FAIL 0x3333u

void put_text(const char *text);
void put_number(const char *label, uint64_t value, unsigned base);

static void (*shared_work)(unsigned hart);
static unsigned at_work;

void put_char(char c) {
  while (!(UART_LSR & LSR_THR_EMPTY)) {
  }
  UART_THR = (uint8_t)c;
}

uint64_t ticks(void) {
  return MTIME;
}

uint64_t instructions(void) {
  uint64_t value;
  __asm__ volatile("csrr %0, minstret" : "=r"(value));
  return value;
}

void trapped(uint64_t cause, uint64_t pc, uint64_t value) {
  put_number("BENCH-TRAP cause=", cause, 10);
  put_number(" pc=", pc, 16);
  put_number(" value=", value, 16);
  put_text("\n");
  TEST_FINISHER = FINISH_FAIL | (1u << 16);
}

void main(void) {
  TEST_FINISHER = run_benchmark() == 0 ? FINISH_PASS : FINISH_FAIL | (1u << 16);
}

/* Sleeping harts wake up by a software interrupt and come to hart_called. */
void on_each_hart(void (*work)(unsigned hart)) {
  shared_work = work;
  __atomic_store_n(&at_work, HARTS - 1, __ATOMIC_RELEASE);
  for (unsigned hart = 1; hart < HARTS; hart++) {
    MSIP[hart] = 1;
  }
  work(0);
  while (__atomic_load_n(&at_work, __ATOMIC_ACQUIRE) != 0) {
    relax();
  }
}

void hart_called(unsigned hart) {
  MSIP[hart] = 0;
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  shared_work(hart);
  __atomic_fetch_sub(&at_work, 1, __ATOMIC_RELEASE);
}

void relax(void) {
  __asm__ volatile(".insn i 0x0f, 0, x0, x0, 0x010"); /* pause, of Zihintpause */
}

void *code_page(void) {
  static uint8_t page[4096] __attribute__((aligned(4096)));
  return page;
}

void *write_adder(void *to, unsigned n) {
  volatile uint32_t *code = to;
  code[0] = n << 20 | 10u << 15 | 10u << 7 | 0x13; /* addi a0, a0, n */
  code[1] = 0x00008067;                            /* ret */
  return (void *)(code + 2);
}

void code_written(void *from, void *to) {
  (void)from;
  (void)to;
  __asm__ volatile("fence.i" ::: "memory");
}

void *memset(void *to, int value, size_t size) {
  unsigned char *p = to;
  while (size--) {
    *p++ = (unsigned char)value;
  }
  return to;
}

void *memcpy(void *to, const void *from, size_t size) {
  unsigned char *p = to;
  const unsigned char *q = from;
  while (size--) {
    *p++ = *q++;
  }
  return to;
}
