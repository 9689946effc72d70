/**
 * From instruction words to operands, driven by a table of {@link org.ascus.isa.table}. Fetching the words and what
 * follows from them is not done here.
 */
package org.ascus.isa.decode;
