/**
 * The comparison of Ascus with QEMU: the same guest on both, in turn, with times, memory and their ratios.
 *
 * <p>Micro-benchmarks of single components live in packages beside this one; the guest programs in {@code src/guest}.
 * Nothing here touches the emulator's classes: both sides are started as processes, as a user would.
 */
package org.ascus.benchmarks;
