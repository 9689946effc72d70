package org.ascus.launcher.options;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.ascus.machine.trace.Log;
import org.ascus.polyglot.MachineOptions;

/**
 * A command line, understood.
 *
 * @param machine the machine
 * @param serials the host's ends of its serial ports, in order
 * @param monitors the channels of its monitors
 * @param chardevs named channels by id
 * @param security what guards them
 * @param dumpDtb file for the device tree; the machine is not started then
 * @param log what to log
 * @param logFile where to log; empty for stderr
 * @param hostErrors a defect of the emulator shows its stack trace ({@code -d host})
 * @param name of the guest, for people
 */
public record LaunchOptions(
    MachineOptions machine,
    List<CharOptions> serials,
    List<CharOptions> monitors,
    Map<String, ChardevOptions> chardevs,
    SecurityObjects security,
    Optional<Path> dumpDtb,
    Set<Log.Category> log,
    Optional<Path> logFile,
    boolean hostErrors,
    String name) {
  public LaunchOptions {
    serials = List.copyOf(serials);
    monitors = List.copyOf(monitors);
    chardevs = Map.copyOf(chardevs);
    log = Set.copyOf(log);
  }

  /** The same with another machine. */
  public LaunchOptions with(MachineOptions other) {
    return new LaunchOptions(other, serials, monitors, chardevs, security, dumpDtb, log, logFile, hostErrors, name);
  }
}
