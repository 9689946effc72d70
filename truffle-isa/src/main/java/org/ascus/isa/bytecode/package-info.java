/**
 * Regions as classes of JVM bytecode: compact ones, compiled in a fraction of the time that the Truffle tier needs, and
 * the best that HotSpot can make, where the time goes. What is here knows no ISA; an ISA emits its instructions through
 * {@link org.ascus.isa.code.BlockAssembler}, which takes the same semantic methods as every other tier. Regions
 * themselves, how they are found and kept, are in {@code region}; machine code of the host is in {@code hostcode}.
 */
package org.ascus.isa.bytecode;
