/**
 * The baseline tier: regions as classes of JVM bytecode, made and compiled in a fraction of the time that the Truffle
 * tier needs. What is here knows no ISA; an ISA emits its instructions through {@link
 * org.ascus.isa.bytecode.RegionAssembler}, which calls the same semantic methods as every other tier. Regions
 * themselves, how they are found and kept, are in {@code region}.
 */
package org.ascus.isa.bytecode;
