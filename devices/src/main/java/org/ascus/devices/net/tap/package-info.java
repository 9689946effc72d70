/** Networks through a network interface of the host, which takes privileges. Linux only. */
package org.ascus.devices.net.tap;
