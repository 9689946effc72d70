/** What the tiers that make code share: how an ISA describes its blocks to them, and what its instructions compute. */
package org.ascus.isa.code;
