/**
 * Block nodes: what stores a disk's bytes. A node is a protocol (bytes of a file), or a format or overlay on top of
 * another node. Devices see {@link org.ascus.devices.block.BlockNode} only.
 */
package org.ascus.devices.block;
