/** From the command line to a running machine and its exit code. Parsing and the monitor have packages of their own. */
package org.ascus.launcher;
