/** {@code ssh}: images on hosts that have an SSH server with SFTP. */
package org.ascus.devices.block.ssh;
