/** What {@code -object filter-...} puts on a cable between a network card and its back end. */
package org.ascus.devices.net.filter;
