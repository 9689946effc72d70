package org.ascus.devices.block;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** A block node that cannot be opened or a request that failed; the message names the file or node and the cause. */
public final class BlockException extends Exception {
  private static final long serialVersionUID = 1L;

  /** The host's words for ENOSPC, the only ones that Java passes on. */
  private static final String NO_SPACE = "No space left on device";

  public BlockException(String message) {
    super(message);
  }

  public BlockException(String message, Throwable cause) {
    super(message, cause);
  }

  /** Whether the host's disk is full. */
  public boolean noSpace() {
    for (Throwable e = this; e != null; e = e.getCause()) {
      if (String.valueOf(e.getMessage()).contains(NO_SPACE)) {
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
