/**
 * The NBD protocol (the NetworkBlockDevice project's doc/proto.md), fixed newstyle: a client that is a block node, and
 * a server of block nodes. All numbers on the wire are big-endian.
 */
package org.ascus.devices.block.nbd;
