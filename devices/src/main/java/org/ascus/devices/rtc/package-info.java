/** Clocks that tell the guest the date. */
package org.ascus.devices.rtc;
