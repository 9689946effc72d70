/**
 * RISC-V: its instruction table and what is generated from it. Meanings of instructions are in {@code semantics}.
 */
package org.ascus.isa.riscv;
