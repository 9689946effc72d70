/** Guest time and timers. */
package org.ascus.machine.clock;
