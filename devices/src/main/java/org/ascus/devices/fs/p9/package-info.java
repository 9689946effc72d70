/** The file protocol 9P2000.L over a shared folder; knows nothing of how messages come and go. */
package org.ascus.devices.fs.p9;
