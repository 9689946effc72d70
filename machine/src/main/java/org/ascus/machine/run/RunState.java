package org.ascus.machine.run;

/** Life of a machine. */
public enum RunState {
  /** Made, not yet started ({@code -S}). */
  PRELAUNCH,
  RUNNING,
  PAUSED,
  /** Stopped because a disk of the host failed a request, which waits to be tried again. */
  IO_ERROR,
  /** Ended by the guest with {@code -no-shutdown}: state is there to look at, nothing runs. */
  SHUTDOWN,
  /** Over; threads are gone. */
  ENDED
}
