/** Logging by category. */
package org.ascus.machine.trace;
