/** Data that the machine hands to its firmware. */
package org.ascus.devices.fwcfg;
