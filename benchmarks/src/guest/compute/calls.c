/* Virtual methods: calls through tables of function pointers, whose targets change in no simple pattern. */
#include "guest.h"

#define OBJECTS 1024
#define ROUNDS SIZED(1000, 4)

struct object;

struct class {
  uint64_t (*step)(struct object *self, uint64_t input);
  uint64_t (*weigh)(const struct object *self);
};

struct object {
  const struct class *class;
  uint64_t value;
};

const char program_name[] = "calls";
const uint64_t known_answer = SIZED(0xd289971931cf1cef, 0xb0deb55b836d2037);
static struct object objects[OBJECTS];

static uint64_t add_step(struct object *self, uint64_t input) {
  return self->value += input;
}

static uint64_t xor_step(struct object *self, uint64_t input) {
  return self->value ^= input << 3;
}

static uint64_t rotate_step(struct object *self, uint64_t input) {
  self->value = (self->value << 7 | self->value >> 57) + input;
  return self->value >> 5;
}

static uint64_t count_step(struct object *self, uint64_t input) {
  self->value += 1 + (input & 1);
  return input;
}

static uint64_t multiply_step(struct object *self, uint64_t input) {
  self->value = self->value * 0x9e3779b97f4a7c15u + 1;
  return self->value ^ input;
}

static uint64_t weigh_low(const struct object *self) {
  return self->value & 0xff;
}

static uint64_t weigh_high(const struct object *self) {
  return self->value >> 56;
}

static uint64_t weigh_one(const struct object *self) {
  (void)self;
  return 1;
}

static const struct class classes[] = {
    {add_step, weigh_low},   {xor_step, weigh_high},      {rotate_step, weigh_low},  {count_step, weigh_one},
    {add_step, weigh_high},  {multiply_step, weigh_high}, {multiply_step, weigh_low}, {rotate_step, weigh_one},
};

uint64_t iteration(void) {
  uint64_t state = 11;
  for (int i = 0; i < OBJECTS; i++) {
    objects[i].class = &classes[random_next(&state) & 7];
    objects[i].value = (uint64_t)i;
  }
  uint64_t flow = 1;
  uint64_t weight = 0;
  for (int round = 0; round < ROUNDS; round++) {
    for (int i = 0; i < OBJECTS; i++) {
      struct object *object = &objects[i];
      flow = object->class->step(object, flow);
      weight += object->class->weigh(object);
    }
  }
  return flow * 31 + weight;
}
