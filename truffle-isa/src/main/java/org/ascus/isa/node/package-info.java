/**
 * Truffle nodes that every ISA shares: instructions, blocks, the dispatch of a region and its calls. Guest registers
 * live in static frame slots while a region runs; see {@link org.ascus.isa.node.RegionFrame}.
 */
package org.ascus.isa.node;
