package org.ascus.machine.device;

/**
 * A property of a device, as data: one declaration for {@code -device X,help}, validation, and introspection.
 *
 * @param name as in {@code -device X,name=value}
 * @param kind how the text is read
 * @param defaultValue text of the default; empty when there is none
 * @param description one line of help
 */
public record Property(String name, Kind kind, String defaultValue, String description) {
  /** How a property's text is read. */
  public enum Kind {
    BOOL("bool"),
    INT32("int32"),
    UINT32("uint32"),
    UINT64("uint64"),
    SIZE("size"),
    STRING("str"),
    /** The id of a block node or {@code -drive}. */
    DRIVE("str"),
    /** The id of a {@code -chardev}. */
    CHARDEV("str");

    private final String label;

    Kind(String label) {
      this.label = label;
    }

    /** As shown in help. */
    public String label() {
      return label;
    }
  }
}
