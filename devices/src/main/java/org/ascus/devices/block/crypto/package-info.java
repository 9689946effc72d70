/**
 * Encrypted disks: sector ciphers and their modes, LUKS version 1 headers and keys (LUKS On-Disk Format Specification
 * 1.2), and the block node that encrypts what goes through it.
 */
package org.ascus.devices.block.crypto;
