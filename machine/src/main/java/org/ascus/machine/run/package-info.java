/** The life cycle of a machine: run states, vCPU threads, reset, shutdown, instruction-count runs. */
package org.ascus.machine.run;
