/** The one format of saved state: versioned sections of named fields. */
package org.ascus.machine.state;
