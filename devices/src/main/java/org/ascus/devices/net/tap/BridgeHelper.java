package org.ascus.devices.net.tap;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

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
  private static final int EINTR = 4;

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
      return open(arena, new LibC(arena));
    } catch (IOException e) {
      throw e;
    } catch (Throwable e) {
      throw new IOException(e);
    }
  }

  private int open(Arena arena, LibC c) throws Throwable {
    MethodHandle close = c.function("close", ValueLayout.JAVA_INT);
    MethodHandle socketpair =
        c.function("socketpair", ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS);
    MemorySegment pair = arena.allocate(ValueLayout.JAVA_INT, 2);
    if ((int) socketpair.invokeExact(AF_UNIX, SOCK_STREAM_CLOEXEC, 0, pair) < 0) {
      throw c.failure("bridge helper failed");
    }
    int own = pair.getAtIndex(ValueLayout.JAVA_INT, 0);
    int theirs = pair.getAtIndex(ValueLayout.JAVA_INT, 1);
    int pid;
    try {
      pid = start(arena, c, theirs);
    } catch (IOException e) {
      int ignored = (int) close.invokeExact(own);
      throw e;
    } finally {
      int ignored = (int) close.invokeExact(theirs);
    }
    Optional<Integer> received = receive(arena, c, own);
    int ignored = (int) close.invokeExact(own);
    int status = await(arena, c, pid);
    if (status != 0 && received.isPresent()) {
      int alsoIgnored = (int) close.invokeExact((int) received.get());
    }
    if (status != 0 || received.isEmpty()) {
      String why = status != 0 ? "failed with status " + status : "handed nothing over";
      throw new IOException("bridge helper failed: " + program + " " + why);
    }
    return received.get();
  }

  /** Starts the program with nothing but its end and the error output. */
  private int start(Arena arena, LibC c, int end) throws Throwable {
    MemorySegment actions = arena.allocate(FILE_ACTIONS, 16);
    var pointer = ValueLayout.ADDRESS;
    var integer = ValueLayout.JAVA_INT;
    int ignored = (int) c.function("posix_spawn_file_actions_init", pointer).invokeExact(actions);
    MethodHandle open =
        c.function("posix_spawn_file_actions_addopen", pointer, integer, pointer, integer, integer);
    MemorySegment nothing = arena.allocateFrom("/dev/null");
    ignored = (int) c.function("posix_spawn_file_actions_adddup2", pointer, integer, integer)
        .invokeExact(actions, end, HANDED);
    ignored = (int) open.invokeExact(actions, 0, nothing, O_RDWR, 0);
    // What it prints must not get into the guest's console.
    ignored = (int) open.invokeExact(actions, 1, nothing, O_RDWR, 0);
    Optional<MethodHandle> closeFrom = c.optional("posix_spawn_file_actions_addclosefrom_np", pointer, integer);
    if (closeFrom.isPresent()) {
      ignored = (int) closeFrom.get().invokeExact(actions, HANDED + 1);
    }
    String[] arguments = {program, "--fd=" + HANDED, "--br=" + bridge};
    String file = program;
    if (program.indexOf(' ') >= 0 || program.indexOf('\t') >= 0) {
      file = "/bin/sh";
      arguments = new String[] {"sh", "-c", String.join(" ", arguments)};
    }
    MethodHandle spawn = c.function("posix_spawn", pointer, pointer, pointer, pointer, pointer, pointer);
    MemorySegment pid = arena.allocate(ValueLayout.JAVA_INT);
    String[] environment =
        System.getenv().entrySet().stream().map(e -> e.getKey() + "=" + e.getValue()).toArray(String[]::new);
    int error =
        (int) spawn.invokeExact(
            pid,
            arena.allocateFrom(file),
            actions,
            MemorySegment.NULL,
            LibC.strings(arena, arguments),
            LibC.strings(arena, environment));
    ignored = (int) c.function("posix_spawn_file_actions_destroy", pointer).invokeExact(actions);
    if (error != 0) {
      throw new IOException("bridge helper failed: " + file + ": " + c.text(error));
    }
    return pid.get(ValueLayout.JAVA_INT, 0);
  }

  /**
   * Waits for the byte that a descriptor comes with. {@code msghdr} of 64-bit Linux: data vector at 16 and its length
   * at 24, control at 32 and its length at 40; {@code cmsghdr}: length (64 bits), level, type, data.
   */
  private static Optional<Integer> receive(Arena arena, LibC c, int socket) throws Throwable {
    MethodHandle recvmsg = c.function("recvmsg", ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT);
    MemorySegment vector = arena.allocate(16, 8);
    vector.set(ValueLayout.ADDRESS, 0, arena.allocate(1));
    vector.set(ValueLayout.JAVA_LONG, 8, 1);
    MemorySegment control = arena.allocate(CONTROL, 8);
    MemorySegment message = arena.allocate(MSGHDR, 8);
    message.set(ValueLayout.ADDRESS, 16, vector);
    message.set(ValueLayout.JAVA_LONG, 24, 1);
    message.set(ValueLayout.ADDRESS, 32, control);
    message.set(ValueLayout.JAVA_LONG, 40, CONTROL);
    int count;
    do {
      count = (int) recvmsg.invokeExact(socket, message, MSG_CMSG_CLOEXEC);
    } while (count < 0 && c.errno() == EINTR);
    boolean handed =
        count == 1
            && message.get(ValueLayout.JAVA_LONG, 40) >= CONTROL_HEADER + 4
            && control.get(ValueLayout.JAVA_INT, 8) == SOL_SOCKET
            && control.get(ValueLayout.JAVA_INT, 12) == SCM_RIGHTS;
    return handed ? Optional.of(control.get(ValueLayout.JAVA_INT, CONTROL_HEADER)) : Optional.empty();
  }

  /** The exit status of the program; as a shell has it when a signal ended it. */
  private static int await(Arena arena, LibC c, int pid) throws Throwable {
    MethodHandle waitpid =
        c.function("waitpid", ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT);
    MemorySegment status = arena.allocate(ValueLayout.JAVA_INT);
    int result;
    do {
      result = (int) waitpid.invokeExact(pid, status, 0);
    } while (result < 0 && c.errno() == EINTR);
    int value = status.get(ValueLayout.JAVA_INT, 0);
    return (value & 0x7f) == 0 ? value >> 8 & 0xff : 128 + (value & 0x7f);
  }
}
