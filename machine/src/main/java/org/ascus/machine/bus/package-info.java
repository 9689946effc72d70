/** Address spaces and what is mapped in them. Knows neither CPUs nor particular devices. */
package org.ascus.machine.bus;
