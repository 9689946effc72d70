/** UARTs. The byte channels behind them live in {@code chardev}. */
package org.ascus.devices.serial;
