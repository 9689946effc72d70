/**
 * Regions: which blocks are compiled together, when, and what happens to the result. The former, the cache and the
 * policy know neither an ISA nor how code is made of a region.
 */
package org.ascus.isa.region;
