/** Filter nodes: what happens to requests on their way, whatever the image below. */
package org.ascus.devices.block.filter;
