package org.ascus.devices.pci;

/**
 * How a function tells what it is (PCI Local Bus 3.0, section 6.2.1).
 *
 * @param vendor vendor id, 16 bits
 * @param device device id, 16 bits
 * @param revision revision id, 8 bits
 * @param classCode base class, sub-class and programming interface, 24 bits
 * @param subsystemVendor 16 bits; 0 with bridges, which have none
 * @param subsystem 16 bits
 */
public record PciIdentity(
    int vendor, int device, int revision, int classCode, int subsystemVendor, int subsystem) {}
