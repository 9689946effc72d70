/**
 * What tests across modules share: the emulator as a process, a console to talk to, guests and programs of the host.
 *
 * <p>A test asks here for what it cannot do without; where that is missing, the test is skipped and says what to
 * install.
 */
package org.ascus.tests.support;
