/**
 * The qcow2 format, versions 2 and 3, as QEMU's docs/interop/qcow2 specifies it. {@link
 * org.ascus.devices.block.format.qcow2.Qcow2Node} is the block node; the other classes are its parts: header, tables,
 * refcounts, the write path, snapshots, checking. Everything in an image is untrusted.
 *
 * <p>Encrypted images are refused. Dirty bitmaps are carried along but not updated: an image that is written loses the
 * mark that says they are consistent.
 */
package org.ascus.devices.block.format.qcow2;
