/**
 * Regions as classes of JVM bytecode: compact ones, compiled in a fraction of the time that the Truffle tier needs, and
 * the best that HotSpot can make, where the time goes. What is here knows no ISA; an ISA emits its instructions through
 * {@link org.ascus.isa.bytecode.RegionAssembler}, which calls the same semantic methods as every other tier. Regions
 * themselves, how they are found and kept, are in {@code region}.
 */
package org.ascus.isa.bytecode;
