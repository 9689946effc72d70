/** Guests that do what no guest should: they get what the specification says, and the host a line in a log at most. */
package org.ascus.tests.robustness;
