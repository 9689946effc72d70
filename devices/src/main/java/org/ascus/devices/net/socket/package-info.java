/**
 * Networks between machines: frames over TCP, unix and UDP sockets, in the formats that QEMU has for that. One event
 * loop thread for each back end.
 */
package org.ascus.devices.net.socket;
