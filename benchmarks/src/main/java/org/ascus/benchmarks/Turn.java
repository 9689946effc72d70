package org.ascus.benchmarks;

import java.time.Duration;

/** One step in following a guest's console. A workload without turns is just run to its end. */
sealed interface Turn {
  /**
   * Waits for a text after those awaited before.
   *
   * @param figure takes the seconds from the start of the process
   */
  record Await(String text, String figure) implements Turn {}

  /** Types a text. */
  record Send(String text) implements Turn {}

  /**
   * Watches how much processor time the idle guest takes.
   *
   * @param settle how long to wait before
   * @param figure takes the per cent of one host core
   */
  record Watch(Duration settle, Duration window, String figure) implements Turn {}

  /** Ends the process; the run is a good one if it came to here. */
  record Stop() implements Turn {}

  /** Waits for the end of a program that prints no result; the run is a good one if it ends with 0. */
  record End() implements Turn {}
}
