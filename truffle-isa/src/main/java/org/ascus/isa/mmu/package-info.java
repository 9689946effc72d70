/** Address translation that no ISA owns: the soft TLB. Page-table walkers live with their ISA. */
package org.ascus.isa.mmu;
