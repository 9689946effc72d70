package org.ascus.benchmarks;

/** Who runs a workload. */
enum Side {
  /** This project's emulator. */
  ASCUS("Ascus"),
  /** The emulator that it is compared with. */
  QEMU("QEMU"),
  /** The same C program compiled for this machine: the physical limit. */
  HOST("host");

  private final String title;

  Side(String title) {
    this.title = title;
  }

  /** The name in tables. */
  String title() {
    return title;
  }
}
