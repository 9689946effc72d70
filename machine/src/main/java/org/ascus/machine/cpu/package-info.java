/** What a machine asks of a CPU; the answer lives in a module of its own. */
package org.ascus.machine.cpu;
