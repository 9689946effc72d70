/** The RISC-V board {@code virt}, with QEMU's memory map and boot protocol. Knows CPUs by their contract only. */
package org.ascus.devices.board.riscv;
