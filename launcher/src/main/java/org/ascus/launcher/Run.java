package org.ascus.launcher;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.ascus.devices.block.Drive;
import org.ascus.devices.chardev.CharBackend;
import org.ascus.devices.chardev.MuxChardev;
import org.ascus.devices.host.HostErrors;
import org.ascus.launcher.monitor.Monitor;
import org.ascus.launcher.options.CharOptions;
import org.ascus.launcher.options.LaunchOptions;
import org.ascus.launcher.options.OptionException;
import org.ascus.machine.run.ShutdownReason;
import org.ascus.machine.trace.Log;
import org.ascus.polyglot.Accelerator;
import org.ascus.polyglot.DriveOptions;
import org.ascus.polyglot.Vm;
import org.ascus.polyglot.VmBuilder;
import org.ascus.polyglot.VmException;

/** One machine from its options to its exit code. */
final class Run {
  private static final long SIGNAL_SECONDS = 5;

  private final CountDownLatch ended = new CountDownLatch(1);
  private final LaunchOptions options;
  private final String program;
  private final PrintStream errors;

  /**
   * Nothing happens yet.
   *
   * @param program name for messages
   * @param errors where messages go
   */
  Run(LaunchOptions options, String program, PrintStream errors) {
    this.options = options;
    this.program = program;
    this.errors = errors;
  }

  /** Runs the machine to its end and returns the exit code of the process. */
  int run() throws OptionException, VmException, InterruptedException {
    if (options.dumpDtb().isPresent()) {
      return dumpDeviceTree(options.dumpDtb().get());
    }
    try (PrintStream logOutput = openLog()) {
      return run(new Log(logOutput, options.log()));
    }
  }

  private int run(Log log) throws OptionException, VmException, InterruptedException {
    AtomicBoolean early = new AtomicBoolean();
    AtomicReference<Runnable> quit = new AtomicReference<>(() -> early.set(true));
    AtomicReference<Runnable> commit = new AtomicReference<>(() -> {});
    try (Channels channels = new Channels(options.chardevs(), options.security(), keys(quit, commit), errors)) {
      VmBuilder builder = Vm.builder(options.machine()).log(log);
      List<CharOptions> ports = options.serials().isEmpty() ? List.of(new CharOptions.None()) : options.serials();
      for (int i = 0; i < ports.size(); i++) {
        builder.serial(channels.open(ports.get(i), "serial" + i));
      }
      for (String id : options.chardevs().keySet()) {
        channels.prepare(id);
        builder.chardev(id, user -> channels.front(id, user));
      }
      try (Vm vm = builder.build()) {
        // A terminal's key must not wait for the machine, which may wait for the terminal.
        quit.set(() -> Thread.ofPlatform().daemon().start(vm::quit));
        commit.set(() -> Thread.ofPlatform().daemon().start(() -> commit(vm)));
        if (early.get()) {
          vm.quit();
        }
        warn(vm);
        for (int i = 0; i < options.monitors().size(); i++) {
          CharOptions where = options.monitors().get(i);
          CharBackend channel = channels.open(where, freeName(options, i));
          new Monitor(vm, options.name(), channels, channel, channels.isShared(where)).start();
        }
        Thread hook = endOnSignal(vm);
        try {
          if (log.isOn(Log.Category.TIME)) {
            vm.timeProfile().start();
          }
          vm.start();
          ShutdownReason reason = vm.awaitExit();
          log.log(Log.Category.TIME, vm.timeProfile()::describe);
          return exitCode(reason);
        } finally {
          forget(hook);
        }
      }
    } finally {
      ended.countDown();
    }
  }

  /** A name for a monitor's channel that has none: no other channel has it. */
  private static String freeName(LaunchOptions options, int number) {
    int free = number;
    while (options.chardevs().containsKey("compat_monitor" + free)) {
      free += options.monitors().size();
    }
    return "compat_monitor" + free;
  }

  private static MuxChardev.Control keys(AtomicReference<Runnable> quit, AtomicReference<Runnable> commit) {
    return new MuxChardev.Control() {
      @Override
      public void quit() {
        quit.get().run();
      }

      @Override
      public void commit() {
        commit.get().run();
      }
    };
  }

  private void commit(Vm vm) {
    try {
      vm.commit("all");
    } catch (VmException e) {
      errors.println(program + ": " + e.getMessage());
    }
  }

  /**
   * A signal that ends the process ends the machine first: files and terminal are left as they should be, and the
   * process ends as if the machine had ended by itself.
   */
  private Thread endOnSignal(Vm vm) {
    Thread hook =
        new Thread(
            () -> {
              errors.println(program + ": terminating on a signal");
              vm.quit();
              try {
                if (ended.await(SIGNAL_SECONDS, TimeUnit.SECONDS)) {
                  // The JVM would tell the signal's number in the exit code.
                  Runtime.getRuntime().halt(0);
                }
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            },
            "ascus-signal");
    Runtime.getRuntime().addShutdownHook(hook);
    return hook;
  }

  private static void forget(Thread hook) {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The process ends by a signal already.
    }
  }

  private void warn(Vm vm) {
    for (DriveOptions drive : options.machine().drives()) {
      Drive made = vm.drives().get(drive.id());
      boolean probed = drive.medium().isPresent() && drive.image().format().isEmpty();
      if (probed && made.format().equals("raw") && !made.readOnly()) {
        errors.println("WARNING: Image format was not specified for '" + made.name() + "' and probing guessed raw.");
        errors.println("         Automatically detecting the format is dangerous for raw images, write operations on"
            + " block 0 will be restricted.");
        errors.println("         Specify the 'raw' format explicitly to remove the restrictions.");
      }
    }
    if (options.machine().accelerator() == Accelerator.TRUFFLE) {
      Vm.translationProblem()
          .ifPresent(p -> errors.println(program + ": warning: guest code stays in the baseline tier: " + p));
    }
  }

  private int exitCode(ShutdownReason reason) {
    return switch (reason.kind()) {
      case HOST_QUIT, GUEST_SHUTDOWN, GUEST_RESET, GUEST_PANIC -> reason.exitCode();
      case HOST_ERROR -> {
        String text = options.hostErrors() ? reason.detail() : reason.detail().lines().findFirst().orElse("unknown");
        errors.println(program + ": internal error: " + text);
        yield 1;
      }
    };
  }

  private PrintStream openLog() throws OptionException {
    if (options.logFile().isEmpty()) {
      return new Uncloseable(errors);
    }
    Path file = options.logFile().get();
    try {
      return new PrintStream(Files.newOutputStream(file));
    } catch (IOException e) {
      throw new OptionException("-D " + file + ": cannot be written: " + HostErrors.reason(e));
    }
  }

  private static final class Uncloseable extends PrintStream {
    Uncloseable(PrintStream target) {
      super(target, true);
    }

    @Override
    public void close() {
      flush();
    }
  }

  private int dumpDeviceTree(Path file) throws VmException, OptionException {
    // The tree is the same for each accelerator, and this one is made in no time.
    try (Vm vm = Vm.builder(options.machine()).accelerator(Accelerator.INTERPRETER).build()) {
      Files.write(file, vm.deviceTree());
    } catch (IOException e) {
      throw new OptionException("-machine dumpdtb=" + file + ": cannot be written: " + HostErrors.reason(e));
    }
    errors.println(program + ": info: dtb dumped to " + file + ". Exiting.");
    return 0;
  }
}
