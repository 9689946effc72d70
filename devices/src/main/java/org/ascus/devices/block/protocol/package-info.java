/** Protocol nodes: where bytes come from. So far a host file. */
package org.ascus.devices.block.protocol;
