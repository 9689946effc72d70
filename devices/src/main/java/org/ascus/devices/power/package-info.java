/** Devices that end or reset the machine. */
package org.ascus.devices.power;
