package org.ascus.devices.block;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.device.Property;
import org.ascus.machine.device.Property.Kind;
import org.ascus.machine.device.PropertyValues;

/**
 * What becomes of requests that fail on the host, {@code rerror} and {@code werror}.
 *
 * @param read of reads
 * @param write of everything else
 */
public record ErrorPolicy(Action read, Action write) {
  /** What can be asked for. */
  public enum Action {
    /** The guest is told. */
    REPORT,
    /** The guest is told that it worked. */
    IGNORE,
    /** The machine stops, and the request is tried again when it goes on. */
    STOP,
    /** As {@link #STOP} when the host's disk is full, otherwise as {@link #REPORT}. */
    ENOSPC
  }

  /** What is to be done about one failure. */
  public enum Outcome {
    REPORT,
    IGNORE,
    STOP
  }

  /** What {@code -device} says if the drive is to decide. */
  private static final String AUTO = "auto";

  public static final ErrorPolicy DEFAULT = new ErrorPolicy(Action.REPORT, Action.ENOSPC);

  /**
   * What {@code -drive} says.
   *
   * @param onRead {@code report}, {@code ignore} or {@code stop}
   * @param onWrite one of them or {@code enospc}
   */
  public static ErrorPolicy parse(Optional<String> onRead, Optional<String> onWrite) throws BlockException {
    if (onRead.isPresent() && onRead.get().equals("enospc")) {
      throw new BlockException("'enospc' invalid read error action");
    }
    return new ErrorPolicy(
        onRead.isEmpty() ? DEFAULT.read : action(onRead.get(), "read"),
        onWrite.isEmpty() ? DEFAULT.write : action(onWrite.get(), "write"));
  }

  private static Action action(String text, String what) throws BlockException {
    return find(text).orElseThrow(() -> new BlockException("'" + text + "' invalid " + what + " error action"));
  }

  private static Optional<Action> find(String text) {
    return Arrays.stream(Action.values()).filter(a -> a.name().toLowerCase(Locale.ROOT).equals(text)).findAny();
  }

  /** Properties {@code rerror} and {@code werror} of a device with a disk. */
  public static List<Property> properties() {
    return List.of(
        new Property("rerror", Kind.STRING, AUTO, "Failed reads: report, ignore, stop, or auto as the drive says"),
        new Property("werror", Kind.STRING, AUTO, "Failed writes: report, ignore, stop, enospc, or auto"));
  }

  /** This, but for what the {@link #properties} say. */
  public ErrorPolicy with(PropertyValues values) throws DeviceException {
    return new ErrorPolicy(chosen(values, "rerror", read), chosen(values, "werror", write));
  }

  private static Action chosen(PropertyValues values, String property, Action otherwise) throws DeviceException {
    String text = values.getString(property);
    return text.equals(AUTO) ? otherwise
        : find(text).orElseThrow(
            () -> new DeviceException("Parameter '" + property + "' does not accept value '" + text + "'"));
  }

  /** What to do about a request that failed for {@code reason}. */
  public Outcome of(boolean isRead, BlockException reason) {
    return switch (isRead ? read : write) {
      case REPORT -> Outcome.REPORT;
      case IGNORE -> Outcome.IGNORE;
      case STOP -> Outcome.STOP;
      case ENOSPC -> reason.noSpace() ? Outcome.STOP : Outcome.REPORT;
    };
  }
}
