package org.ascus.launcher.monitor;

import java.util.List;
import org.ascus.devices.virtio.balloon.VirtioBalloon;
import org.ascus.polyglot.Vm;

/** Commands about the memory balloon. */
final class BalloonCommands {
  private static final int MIB = 20;

  private final Vm vm;

  BalloonCommands(Vm vm) {
    this.vm = vm;
  }

  private VirtioBalloon balloon() {
    return vm.machine().devices().stream()
        .filter(VirtioBalloon.class::isInstance)
        .map(VirtioBalloon.class::cast)
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("No balloon device has been activated"));
  }

  /** {@code info balloon}: what the guest has. Its statistics are properties of the device. */
  String show() {
    return "balloon: actual=" + (balloon().actualMemory() >> MIB) + "\n";
  }

  /** {@code balloon N}: the guest shall live with N MiB. */
  String set(List<String> arguments) {
    if (arguments.size() != 1 || !arguments.getFirst().matches("[1-9][0-9]{0,9}")) {
      throw new IllegalArgumentException("balloon takes a target size in MiB");
    }
    balloon().setTarget(Long.parseLong(arguments.getFirst()) << MIB);
    return "";
  }
}
