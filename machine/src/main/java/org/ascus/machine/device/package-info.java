/** The device model: types, properties as data, reset, confinement. Particular devices live elsewhere. */
package org.ascus.machine.device;
