/** Byte channels over the network and unix sockets: streams with telnet, WebSocket and TLS on top, and datagrams. */
package org.ascus.devices.chardev.socket;
