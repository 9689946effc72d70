/**
 * The network card Intel 82574L, {@code e1000e}. References to sections are to Intel's "82574 GbE Controller Family
 * Datasheet", revision 3.4.
 */
package org.ascus.devices.net.e1000e;
