/** What {@code -kernel}, {@code -bios} and {@code -initrd} take: file formats, and bytes at guest addresses. */
package org.ascus.devices.loader;
