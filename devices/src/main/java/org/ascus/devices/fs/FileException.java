package org.ascus.devices.fs;

import org.ascus.devices.host.Errno;

/** A request on a file failed as a system call does. Without a stack trace: guests cause it at will. */
public final class FileException extends Exception {
  private static final long serialVersionUID = 1L;

  private final int errno;

  /**
   * @param errno one of {@link Errno} or another number of the host
   */
  public FileException(int errno) {
    super("error " + errno, null, false, false);
    this.errno = errno;
  }

  public int errno() {
    return errno;
  }
}
