/** The baseline tier: machine code of the host, made by templates, for hosts that are known. */
package org.ascus.isa.hostcode;
