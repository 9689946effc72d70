/**
 * Instruction tables: what an ISA's instructions are called, how they are encoded, which operands they have. A table
 * is a text resource, one line an instruction, read at start-up into immutable records. Nothing here knows what an
 * instruction does (see the {@code semantics} package of each ISA) or how it is executed.
 */
package org.ascus.isa.table;
