/** Boards: which devices there are, at which addresses, and how the guest starts. One package per board family. */
package org.ascus.devices.board;
