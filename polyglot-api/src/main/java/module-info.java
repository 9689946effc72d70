/** A machine as an object: the embedding API, and what the command line is made of. */
module org.ascus.polyglot {
  requires transitive org.ascus.devices;
  requires transitive org.ascus.isa;
  requires transitive org.ascus.machine;

  exports org.ascus.polyglot.firmware;
  exports org.ascus.polyglot;

  uses org.ascus.machine.device.DeviceProvider;
}
