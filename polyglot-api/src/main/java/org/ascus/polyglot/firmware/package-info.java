/** Guest programs that Ascus brings along, as assembly source: an SBI implementation and a demonstration. */
package org.ascus.polyglot.firmware;
