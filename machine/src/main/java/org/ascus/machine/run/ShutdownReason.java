package org.ascus.machine.run;

/** Why a machine ended, and the exit code of its process. */
public record ShutdownReason(Kind kind, int exitCode, String detail) {
  /** By QEMU's names of the causes. */
  public enum Kind {
    HOST_QUIT,
    GUEST_SHUTDOWN,
    GUEST_RESET,
    GUEST_PANIC,
    HOST_ERROR
  }
}
