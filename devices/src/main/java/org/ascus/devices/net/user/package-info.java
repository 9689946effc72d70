/**
 * The network that needs no privileges, {@code -netdev user}: a small TCP/IP stack that plays the rest of the network
 * for the guest and passes what it says on through ordinary sockets. Everything here runs on one event loop thread for
 * each back end.
 */
package org.ascus.devices.net.user;
