/**
 * Format nodes: how a disk's bytes are laid out in another node. Raw, qcow2, and the
 * overlay of {@code snapshot=on}.
 */
package org.ascus.devices.block.format;
