/**
 * The RISC-V hart against another emulator, instruction by instruction: random sequences run in one bare-metal image
 * on QEMU and on both of our accelerators, and every register, trap and memory byte must agree. Timing, interrupts,
 * address translation and devices are not compared here.
 */
package org.ascus.tests.differential;
