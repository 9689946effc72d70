/**
 * What every guest CPU shares: hot state, memory access through the soft TLB, the translation cache of a machine, and
 * the loop that dispatches between tiers. Instruction sets and system registers live with their ISA.
 */
package org.ascus.isa.cpu;
