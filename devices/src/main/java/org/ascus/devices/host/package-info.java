/** Calls to the host that Java has no classes for. What they are for lives with those who make them. */
package org.ascus.devices.host;
