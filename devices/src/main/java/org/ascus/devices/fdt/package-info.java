/** Flattened device trees (Devicetree Specification 0.4, chapter 5): a tree, its reader and its writer. No board. */
package org.ascus.devices.fdt;
