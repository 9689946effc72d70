/** A name that HotSpot knows; see {@code org.ascus.isa.bytecode.HotSpotCompiler}. */
package jdk.test.whitebox;
