/**
 * Embedding a machine: options as records, {@link org.ascus.polyglot.Vm} and its parts. No command line, no terminal.
 */
package org.ascus.polyglot;
