/** {@code http} and {@code https}: images on web servers, read in pieces by range requests (RFC 9110, section 14). */
package org.ascus.devices.block.http;
