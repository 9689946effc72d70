/** Interrupt wires and gates. */
package org.ascus.machine.irq;
