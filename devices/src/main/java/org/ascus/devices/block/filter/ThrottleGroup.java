package org.ascus.devices.block.filter;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Disks that share limits ({@code -object throttle-group}). Each limit is a bucket that requests fill and that leaks at
 * the allowed rate; a request waits until all of its buckets have room again, and those behind it wait with it, in
 * order. For any number of threads.
 */
public final class ThrottleGroup {
  /** The time, and how it passes. */
  interface Time {
    Time HOST =
        new Time() {
          @Override
          public long nanos() {
            return System.nanoTime();
          }

          @Override
          public void sleep(long nanos) {
            LockSupport.parkNanos(nanos);
          }
        };

    long nanos();

    void sleep(long nanos);
  }

  private static final double SECOND = TimeUnit.SECONDS.toNanos(1);

  /** Without a burst rate a tenth of a second's worth may come at once. */
  private static final double SHORT_BURST = 0.1;

  private static final class Bucket {
    private final ThrottleLimits.Kind kind;
    private final ThrottleLimits.Limit limit;
    private double level;
    private double burstLevel;

    Bucket(ThrottleLimits.Kind kind, ThrottleLimits.Limit limit) {
      this.kind = kind;
      this.limit = limit;
    }

    void leak(double seconds) {
      level = Math.max(0, level - limit.average() * seconds);
      burstLevel = Math.max(0, burstLevel - limit.burst() * seconds);
    }

    /** Seconds until there is room. */
    double wait(boolean write) {
      if (!kind.appliesTo(write)) {
        return 0;
      }
      double room = limit.burst() == 0 ? limit.average() * SHORT_BURST : (double) limit.burst() * limit.burstSeconds();
      double wait = Math.max(0, (level - room) / limit.average());
      if (limit.burstSeconds() > 1) {
        wait = Math.max(wait, (burstLevel - limit.burst() * SHORT_BURST) / limit.burst());
      }
      return wait;
    }

    void fill(boolean write, double bytes, double operations) {
      if (kind.appliesTo(write)) {
        level += kind.countsBytes() ? bytes : operations;
        burstLevel += kind.countsBytes() ? bytes : operations;
      }
    }
  }

  private final String name;
  private final ThrottleLimits limits;
  private final Time time;
  private final List<Bucket> buckets = new ArrayList<>();
  private final ReentrantLock reads = new ReentrantLock(true);
  private final ReentrantLock writes = new ReentrantLock(true);
  private long last;

  /** The group of one disk. */
  public ThrottleGroup(ThrottleLimits limits) {
    this("", limits, Time.HOST);
  }

  /** A group that any number of disks can be in by its name. */
  public ThrottleGroup(String name, ThrottleLimits limits) {
    this(name, limits, Time.HOST);
  }

  ThrottleGroup(ThrottleLimits limits, Time time) {
    this("", limits, time);
  }

  private ThrottleGroup(String name, ThrottleLimits limits, Time time) {
    this.name = name;
    this.limits = limits;
    this.time = time;
    this.last = time.nanos();
    limits.limits().forEach((kind, limit) -> buckets.add(new Bucket(kind, limit)));
  }

  public ThrottleLimits limits() {
    return limits;
  }

  /** The name by which disks are put in it; empty for the group of one disk. */
  public String name() {
    return name;
  }

  /** Waits until a request of so many bytes may be done. */
  public void admit(boolean write, long bytes) {
    if (buckets.isEmpty()) {
      return;
    }
    ReentrantLock turn = write ? writes : reads;
    turn.lock();
    boolean interrupted = false;
    try {
      for (long nanos = take(write, bytes); nanos > 0; nanos = take(write, bytes)) {
        // An interrupt would make the wait a busy one.
        interrupted |= Thread.interrupted();
        time.sleep(nanos);
      }
    } finally {
      turn.unlock();
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Counts a request that may be done now; or how long it has to wait. */
  private synchronized long take(boolean write, long bytes) {
    long now = time.nanos();
    double passed = Math.max(0, now - last) / SECOND;
    last = now;
    double wait = 0;
    for (Bucket bucket : buckets) {
      bucket.leak(passed);
      wait = Math.max(wait, bucket.wait(write));
    }
    if (wait > 0) {
      return Math.max(1, (long) Math.ceil(wait * SECOND));
    }
    long unit = limits.requestBytes();
    double operations = unit > 0 && bytes > unit ? (double) bytes / unit : 1;
    buckets.forEach(b -> b.fill(write, bytes, operations));
    return 0;
  }
}
