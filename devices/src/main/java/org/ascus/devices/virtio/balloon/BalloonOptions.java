package org.ascus.devices.virtio.balloon;

/**
 * How a balloon behaves.
 *
 * @param deflateOnOom the guest may take memory back when it runs out of it
 * @param freePageReporting the guest tells of free memory by itself
 * @param pagePoison the guest says what it fills free memory with
 * @param pollSeconds how often the guest is asked for its statistics; 0 for never
 */
public record BalloonOptions(
    boolean deflateOnOom, boolean freePageReporting, boolean pagePoison, int pollSeconds) {
  public static final BalloonOptions DEFAULT = new BalloonOptions(false, false, true, 0);
}
