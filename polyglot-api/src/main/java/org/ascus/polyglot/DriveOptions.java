package org.ascus.polyglot;

import org.ascus.devices.block.format.ImageOptions;

/**
 * A disk image that devices can use, {@code -drive} or {@code -blockdev}.
 *
 * @param option what the user wrote, such as {@code -drive file=a.img}; starts error messages
 * @param id the name by which {@code -device X,drive=id} finds it
 * @param virtio plugged in as a virtio block device without being asked for ({@code if=virtio})
 * @param image the image
 */
public record DriveOptions(String option, String id, boolean virtio, ImageOptions image) {}
