package org.ascus.devices.net.tap;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.ascus.devices.host.Errno;
import org.ascus.devices.host.HostCalls;

/**
 * A program with privileges that makes a tap interface on a bridge and hands it over: it gets {@code --fd=N
 * --br=BRIDGE}, where N is its end of a pair of sockets, and sends one byte with the descriptor as ancillary data
 * (unix(7), SCM_RIGHTS). QEMU's {@code qemu-bridge-helper} is one.
 *
 * @param program its path; with blanks or tabs in it, a command for the shell to which the arguments are added
 * @param bridge name of the bridge
 */
public record BridgeHelper(String program, String bridge) {
  /** The bridge that is used if none is named. */
  public static final String DEFAULT_BRIDGE = "br0";

  private static final List<String> PLACES =
      List.of("/usr/lib/qemu/qemu-bridge-helper", "/usr/libexec/qemu-bridge-helper");

  private static final int AF_UNIX = 1;
  private static final int SOCK_STREAM_CLOEXEC = 1 | 0x80000;
  private static final int O_RDWR = 2;
  private static final int HANDED = 3;

  /** Bytes that glibc's and musl's opaque file actions fit in. */
  private static final long FILE_ACTIONS = 256;

  private static final int MSG_CMSG_CLOEXEC = 0x40000000;
  private static final int MSGHDR = 56;
  private static final int CONTROL = 64;
  private static final int CONTROL_HEADER = 16;
  private static final int SOL_SOCKET = 1;
  private static final int SCM_RIGHTS = 1;

  /** Where distributions have QEMU's. */
  public static String defaultProgram() {
    return PLACES.stream().filter(p -> Files.isExecutable(Path.of(p))).findFirst().orElse(PLACES.getFirst());
  }

  /** Runs the program; returns the descriptor that it handed over. */
  int open() throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      return open(arena);
    }
  }

  private static int call(String function, long... words) {
    return HostCalls.status(HostCalls.find(function), words);
  }

  private int open(Arena arena) throws IOException {
    MemorySegment pair = arena.allocate(ValueLayout.JAVA_INT, 2);
    int made = call("socketpair", AF_UNIX, SOCK_STREAM_CLOEXEC, 0, pair.address());
    if (made < 0) {
      throw new IOException("bridge helper failed: " + HostCalls.text(made));
    }
    int own = pair.getAtIndex(ValueLayout.JAVA_INT, 0);
    int theirs = pair.getAtIndex(ValueLayout.JAVA_INT, 1);
    int pid;
    try {
      pid = start(arena, theirs);
    } catch (IOException e) {
      call("close", own);
      throw e;
    } finally {
      call("close", theirs);
    }
    Optional<Integer> received = receive(arena, own);
    call("close", own);
    int status = await(arena, pid);
    if (status != 0 && received.isPresent()) {
      call("close", received.get());
    }
    if (status != 0 || received.isEmpty()) {
      String why = status != 0 ? "failed with status " + status : "handed nothing over";
      throw new IOException("bridge helper failed: " + program + " " + why);
    }
    return received.get();
  }

  /** Starts the program with nothing but its end and the error output. */
  private int start(Arena arena, int end) throws IOException {
    long actions = arena.allocate(FILE_ACTIONS, 16).address();
    long nothing = arena.allocateFrom("/dev/null").address();
    call("posix_spawn_file_actions_init", actions);
    call("posix_spawn_file_actions_adddup2", actions, end, HANDED);
    call("posix_spawn_file_actions_addopen", actions, 0, nothing, O_RDWR, 0);
    // What it prints must not get into the guest's console.
    call("posix_spawn_file_actions_addopen", actions, 1, nothing, O_RDWR, 0);
    HostCalls.findOptional("posix_spawn_file_actions_addclosefrom_np")
        .ifPresent(closeFrom -> HostCalls.call(closeFrom, actions, HANDED + 1));
    String[] arguments = {program, "--fd=" + HANDED, "--br=" + bridge};
    String file = program;
    if (program.indexOf(' ') >= 0 || program.indexOf('\t') >= 0) {
      file = "/bin/sh";
      arguments = new String[] {"sh", "-c", String.join(" ", arguments)};
    }
    MemorySegment pid = arena.allocate(ValueLayout.JAVA_INT);
    String[] environment =
        System.getenv().entrySet().stream().map(e -> e.getKey() + "=" + e.getValue()).toArray(String[]::new);
    int error =
        call("posix_spawn", pid.address(), arena.allocateFrom(file).address(), actions, 0,
            strings(arena, arguments).address(), strings(arena, environment).address());
    call("posix_spawn_file_actions_destroy", actions);
    if (error != 0) {
      throw new IOException("bridge helper failed: " + file + ": " + HostCalls.text(error));
    }
    return pid.get(ValueLayout.JAVA_INT, 0);
  }

  /** A null-terminated array of strings. */
  private static MemorySegment strings(Arena arena, String... strings) {
    MemorySegment array = arena.allocate(ValueLayout.ADDRESS, strings.length + 1L);
    for (int i = 0; i < strings.length; i++) {
      array.setAtIndex(ValueLayout.ADDRESS, i, arena.allocateFrom(strings[i]));
    }
    return array;
  }

  /**
   * Waits for the byte that a descriptor comes with. {@code msghdr} of 64-bit Linux: data vector at 16 and its length
   * at 24, control at 32 and its length at 40; {@code cmsghdr}: length (64 bits), level, type, data.
   */
  private static Optional<Integer> receive(Arena arena, int socket) {
    MemorySegment vector = arena.allocate(16, 8);
    vector.set(ValueLayout.ADDRESS, 0, arena.allocate(1));
    vector.set(ValueLayout.JAVA_LONG, 8, 1);
    MemorySegment control = arena.allocate(CONTROL, 8);
    MemorySegment message = arena.allocate(MSGHDR, 8);
    message.set(ValueLayout.ADDRESS, 16, vector);
    message.set(ValueLayout.JAVA_LONG, 24, 1);
    message.set(ValueLayout.ADDRESS, 32, control);
    message.set(ValueLayout.JAVA_LONG, 40, CONTROL);
    long count;
    do {
      count = HostCalls.result(HostCalls.find("recvmsg"), socket, message.address(), MSG_CMSG_CLOEXEC);
    } while (count == -Errno.EINTR);
    boolean handed =
        count == 1
            && message.get(ValueLayout.JAVA_LONG, 40) >= CONTROL_HEADER + 4
            && control.get(ValueLayout.JAVA_INT, 8) == SOL_SOCKET
            && control.get(ValueLayout.JAVA_INT, 12) == SCM_RIGHTS;
    return handed ? Optional.of(control.get(ValueLayout.JAVA_INT, CONTROL_HEADER)) : Optional.empty();
  }

  /** The exit status of the program; as a shell has it when a signal ended it. */
  private static int await(Arena arena, int pid) {
    MemorySegment status = arena.allocate(ValueLayout.JAVA_INT);
    int result;
    do {
      result = call("waitpid", pid, status.address(), 0);
    } while (result == -Errno.EINTR);
    int value = status.get(ValueLayout.JAVA_INT, 0);
    return (value & 0x7f) == 0 ? value >> 8 & 0xff : 128 + (value & 0x7f);
  }
}
