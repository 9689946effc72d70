/**
 * Image formats of other programs, which are read only: vmdk, vdi, vpc (VHD), vhdx, parallels and qed. None of them
 * writes; QEMU's tools and ours convert them.
 */
package org.ascus.devices.block.format.foreign;
