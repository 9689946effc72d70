/**
 * Folders of the host that are lent to a guest, {@code -fsdev local}: names that cannot lead out of them, and the
 * security models by which owners and modes are kept. The protocol is the business of {@code fs.p9}.
 */
package org.ascus.devices.fs;
