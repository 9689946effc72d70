package org.ascus.devices.block;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** A block node that cannot be opened or a request that failed; the message names the file or node and the cause. */
public final class BlockException extends Exception {
  private static final long serialVersionUID = 1L;

  private final boolean noSpace;

  public BlockException(String message) {
    this(message, null, false);
  }

  public BlockException(String message, Throwable cause) {
    this(message, cause, false);
  }

  private BlockException(String message, Throwable cause, boolean noSpace) {
    super(message, cause);
    this.noSpace = noSpace;
  }

  /** The disk that the bytes are on, here or at the other end of a network, is full. */
  public static BlockException noSpace(String message, Throwable cause) {
    return new BlockException(message, cause, true);
  }

  /** Whether it failed, or what it failed because of, since a disk is full. */
  public boolean noSpace() {
    for (Throwable e = this; e != null; e = e.getCause()) {
      if (e instanceof BlockException b && b.noSpace) {
        return true;
      }
    }
    return false;
  }

  /** The error for a file that the host does not open. */
  public static BlockException open(Path path, IOException cause) {
    String reason =
        switch (cause) {
          case NoSuchFileException _ -> "No such file or directory";
          case AccessDeniedException _ -> "Permission denied";
          case FileSystemException e when e.getReason() != null -> e.getReason();
          default -> String.valueOf(cause.getMessage());
        };
    return new BlockException("Could not open '" + path + "': " + reason, cause);
  }
}
