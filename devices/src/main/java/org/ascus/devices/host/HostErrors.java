package org.ascus.devices.host;

import java.io.IOException;
import java.net.UnknownHostException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/** What the host says of files and sockets that do not open, as a person would read it. */
public final class HostErrors {
  private HostErrors() {}

  /** The reason alone, without the name of the file or the address, which whoever asks knows. */
  public static String reason(Throwable problem) {
    String message = String.valueOf(problem.getMessage());
    return switch (problem) {
      case NoSuchFileException _ -> "No such file or directory";
      case AccessDeniedException _ -> "Permission denied";
      case FileSystemException e when e.getReason() != null -> e.getReason();
      case UnknownHostException _, UnresolvedAddressException _ -> "unknown host";
      // Of an address, Java and netty say the reason first.
      case IOException _ when message.contains(": ") -> message.substring(0, message.indexOf(": "));
      default -> message;
    };
  }
}
