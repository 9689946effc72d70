/**
 * QEMU's command line as data: one table of options, whose entries turn arguments into {@link
 * org.ascus.launcher.options.LaunchOptions}. Starts nothing and opens nothing.
 */
package org.ascus.launcher.options;
