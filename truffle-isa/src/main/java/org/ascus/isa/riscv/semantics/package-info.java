/**
 * What RISC-V instructions compute: one static method on primitives each, named as the instruction table says. No
 * state, no memory, no control registers; those belong to whoever calls the methods.
 */
package org.ascus.isa.riscv.semantics;
