/** What is kept of a run for the next one. */
package org.ascus.isa.profile;
