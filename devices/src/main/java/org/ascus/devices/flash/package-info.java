/** Non-volatile memory that the guest programs by commands, and the files it is kept in. */
package org.ascus.devices.flash;
