/** The machine bus: memory, interrupt lines, clocks, the device and CPU contracts, state streams and the run loop. */
module org.ascus.machine {
  requires jdk.unsupported;

  exports org.ascus.machine.bus;
  exports org.ascus.machine.clock;
  exports org.ascus.machine.cpu;
  exports org.ascus.machine.device;
  exports org.ascus.machine.irq;
  exports org.ascus.machine.run;
  exports org.ascus.machine.state;
  exports org.ascus.machine.trace;
  exports org.ascus.machine.bus.host to
      org.ascus.isa;
}
