/** Interrupt controllers and the timers that belong to them. */
package org.ascus.devices.irqchip;
