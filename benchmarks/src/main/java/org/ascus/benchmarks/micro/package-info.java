/**
 * JMH micro-benchmarks of single components, run by {@code bin/micro}.
 *
 * <p>Each says in its comment which cost centre it watches and why. Whole guests are compared in the package above.
 */
package org.ascus.benchmarks.micro;
