/* A small stack machine interpreting a loop: indirect jumps through a table, as in every language interpreter. */
#include "guest.h"

#define ROUNDS SIZED(400000, 4000)

enum op { PUSH, LOAD, STORE, ADD, MUL, XOR, SHIFT, LESS, BRANCH, HALT };

const char program_name[] = "bytecode";
const uint64_t known_answer = SIZED(0x19cbc8feac0c4444, 0x297f2bd487db726c);

/* x = 1; for (i = 0; i < ROUNDS; i++) x = (x * 33 + i) ^ (x >> 7) -- variables: 0 is i, 1 is x. */
static const int32_t program[] = {
    PUSH, 0, STORE, 0, PUSH, 1, STORE, 1,
    LOAD, 1, PUSH, 33, MUL, LOAD, 0, ADD, LOAD, 1, SHIFT, 7, XOR, STORE, 1,
    LOAD, 0, PUSH, 1, ADD, STORE, 0,
    LOAD, 0, PUSH, ROUNDS, LESS, BRANCH, 8,
    HALT};

uint64_t iteration(void) {
  uint64_t stack[16];
  uint64_t variables[2];
  uint64_t *top = stack;
  const int32_t *pc = program;
  for (;;) {
    switch ((enum op)*pc++) {
      case PUSH:
        *top++ = (uint64_t)*pc++;
        break;
      case LOAD:
        *top++ = variables[*pc++];
        break;
      case STORE:
        variables[*pc++] = *--top;
        break;
      case ADD:
        top--;
        top[-1] += *top;
        break;
      case MUL:
        top--;
        top[-1] *= *top;
        break;
      case XOR:
        top--;
        top[-1] ^= *top;
        break;
      case SHIFT:
        top[-1] >>= *pc++;
        break;
      case LESS:
        top--;
        top[-1] = top[-1] < *top;
        break;
      case BRANCH:
        pc = *--top ? program + *pc : pc + 1;
        break;
      case HALT:
        return variables[1];
    }
  }
}
