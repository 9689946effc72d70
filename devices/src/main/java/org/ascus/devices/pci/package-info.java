/**
 * PCI Express: configuration space, functions and their BARs, bridges, the generic host bridge, INTx and MSI-X. What a
 * particular function does lives with that device.
 */
package org.ascus.devices.pci;
