/**
 * Raw host memory. Exported to the guest CPUs alone, for the soft TLB; everybody else goes through {@code GuestRam}.
 */
package org.ascus.machine.bus.host;
