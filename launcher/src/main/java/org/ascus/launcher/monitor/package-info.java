/** The human monitor: commands as a table, and a line editor over any byte channel. */
package org.ascus.launcher.monitor;
