/** How devices that master the bus reach guest memory. */
package org.ascus.devices.dma;
