/**
 * Networks: what a network card and the host's end of its cable say to each other, and the cable itself. The host's
 * ends are packages below this one; network cards are devices and know no more than what is here.
 */
package org.ascus.devices.net;
