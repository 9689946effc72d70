/**
 * The RISC-V hart against another emulator: random instruction sequences in M mode (Sequence*) and random steps through
 * all modes with traps, page tables, PMP and CSRs (Privileged*) run in one bare-metal image on QEMU and on both of our
 * accelerators, and every register, trap and memory byte must agree. Timing and devices are not compared here.
 */
package org.ascus.tests.differential;
