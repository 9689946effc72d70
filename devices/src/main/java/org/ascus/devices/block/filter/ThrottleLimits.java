package org.ascus.devices.block.filter;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.ascus.devices.block.BlockException;

/**
 * How much a throttled disk may do (QEMU's docs/throttle.txt).
 *
 * @param limits those that are set
 * @param requestBytes a larger request counts as several operations of this size; 0 if each counts as one
 */
public record ThrottleLimits(Map<Kind, Limit> limits, long requestBytes) {
  /** What is limited. */
  public enum Kind {
    BPS_TOTAL("bps-total", true, true, true),
    BPS_READ("bps-read", true, true, false),
    BPS_WRITE("bps-write", true, false, true),
    IOPS_TOTAL("iops-total", false, true, true),
    IOPS_READ("iops-read", false, true, false),
    IOPS_WRITE("iops-write", false, false, true);

    private final String text;
    private final boolean bytes;
    private final boolean reads;
    private final boolean writes;

    Kind(String text, boolean bytes, boolean reads, boolean writes) {
      this.text = text;
      this.bytes = bytes;
      this.reads = reads;
      this.writes = writes;
    }

    /** QEMU's name. */
    public String text() {
      return text;
    }

    boolean appliesTo(boolean write) {
      return write ? writes : reads;
    }

    boolean countsBytes() {
      return bytes;
    }
  }

  /**
   * A limit.
   *
   * @param average bytes or operations a second
   * @param burst as many a second for a while; 0 for no bursts
   * @param burstSeconds how long a burst may be
   */
  public record Limit(long average, long burst, long burstSeconds) {}

  private static final Limit NONE = new Limit(0, 0, 1);

  private static final long MOST = 1_000_000_000_000_000L;

  public ThrottleLimits {
    limits = Map.copyOf(limits);
  }

  /** Where the numbers of a limit come from. */
  public interface Source {
    /** The number by that name, or {@code otherwise}. */
    long number(String name, long otherwise) throws BlockException;
  }

  /** Limits by QEMU's names: {@code bps-total}, {@code bps-total-max}, {@code bps-total-max-length}, ... */
  public static ThrottleLimits read(Source source) throws BlockException {
    Map<Kind, Limit> limits = new EnumMap<>(Kind.class);
    for (Kind kind : Kind.values()) {
      long average = source.number(kind.text(), 0);
      long burst = source.number(kind.text() + "-max", 0);
      long seconds = source.number(kind.text() + "-max-length", 1);
      check(average, burst, seconds);
      if (average > 0) {
        limits.put(kind, new Limit(average, burst, seconds));
      }
    }
    long requestBytes = source.number("iops-size", 0);
    checkTotals(limits, Kind.BPS_TOTAL, Kind.BPS_READ, Kind.BPS_WRITE);
    checkTotals(limits, Kind.IOPS_TOTAL, Kind.IOPS_READ, Kind.IOPS_WRITE);
    if (requestBytes > 0 && limits.keySet().stream().allMatch(Kind::countsBytes)) {
      throw new BlockException("iops size requires an iops value to be set");
    }
    return new ThrottleLimits(limits, requestBytes);
  }

  /** In the words of {@code info block}, where 0 is no limit. */
  public String describe() {
    StringBuilder text = new StringBuilder();
    for (boolean bytes : new boolean[] {true, false}) {
      for (String suffix : List.of("", "_max")) {
        for (Kind kind : Kind.values()) {
          if (kind.countsBytes() == bytes) {
            Limit limit = limits.getOrDefault(kind, NONE);
            text.append(former(kind)).append(suffix).append('=')
                .append(suffix.isEmpty() ? limit.average() : limit.burst()).append(' ');
          }
        }
      }
    }
    return text.append("iops_size=").append(requestBytes).toString();
  }

  private static String former(Kind kind) {
    return kind.text().replace("-total", "").replace("-read", "_rd").replace("-write", "_wr");
  }

  private static void check(long average, long burst, long seconds) throws BlockException {
    if (average < 0 || burst < 0 || average > MOST || burst > MOST) {
      throw new BlockException("bps/iops/max values must be within [0, " + MOST + "]");
    }
    if (seconds <= 0) {
      throw new BlockException("the burst length cannot be 0");
    }
    if (seconds > 1 && burst == 0) {
      throw new BlockException("burst length set without burst rate");
    }
    if (burst > 0 && seconds > MOST / burst) {
      throw new BlockException("burst length too high for this burst rate");
    }
    if (burst > 0 && average == 0) {
      throw new BlockException("bps_max/iops_max require corresponding bps/iops values");
    }
    if (burst > 0 && burst < average) {
      throw new BlockException("bps_max/iops_max cannot be lower than the corresponding bps/iops values");
    }
  }

  private static void checkTotals(Map<Kind, Limit> limits, Kind total, Kind read, Kind write) throws BlockException {
    if (limits.containsKey(total) && (limits.containsKey(read) || limits.containsKey(write))) {
      throw new BlockException("bps/iops/max total values and read/write values cannot be used at the same time");
    }
  }
}
