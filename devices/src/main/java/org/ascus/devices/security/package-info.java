/** Secrets, TLS credentials and authorization: the {@code -object}s that guard what the host offers to others. */
package org.ascus.devices.security;
