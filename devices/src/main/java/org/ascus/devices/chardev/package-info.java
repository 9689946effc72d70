/** Byte channels between a guest device and the host: what devices need of them, and the back ends. */
package org.ascus.devices.chardev;
