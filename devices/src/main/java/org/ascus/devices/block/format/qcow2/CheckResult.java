package org.ascus.devices.block.format.qcow2;

import java.util.ArrayList;
import java.util.List;

/** What a check of an image found. */
public final class CheckResult {
  /** A line for each thing found, and at most {@value #MAX_MESSAGES} of them. */
  public final List<String> messages = new ArrayList<>();

  public long corruptions;
  public long leaks;
  public long corruptionsFixed;
  public long leaksFixed;
  public long totalClusters;
  public long allocatedClusters;
  public long fragmentedClusters;
  public long compressedClusters;
  public long imageEnd;

  private static final int MAX_MESSAGES = 10_000;

  void corruption(String message) {
    corruptions++;
    say("ERROR " + message);
  }

  void leak(String message) {
    leaks++;
    say("Leaked " + message);
  }

  void say(String message) {
    if (messages.size() < MAX_MESSAGES) {
      messages.add(message);
    }
  }
}
