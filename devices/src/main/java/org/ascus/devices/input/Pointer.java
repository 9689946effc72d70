package org.ascus.devices.input;

/** A device that points: a mouse or a tablet. */
public interface Pointer {
  /** Largest coordinate of a place. */
  int MOST = 0x7fff;

  /** Buttons in the order of the bits of the monitor's {@code mouse_button}. */
  enum Button {
    LEFT(0x110),
    RIGHT(0x111),
    MIDDLE(0x112);

    private final int code;

    Button(int code) {
      this.code = code;
    }

    /** As in linux/input-event-codes.h. */
    public int code() {
      return code;
    }
  }

  /** True for a tablet, which knows places; false for a mouse, which knows movements. */
  boolean isAbsolute();

  /** Moves a mouse to the right and down, and its wheel up; a tablet takes the wheel only. */
  void move(int right, int down, int wheel);

  /** Puts a tablet's pen at a place, {@code 0} to {@link #MOST} from left and top; a mouse ignores it. */
  void place(int x, int y);

  void button(Button button, boolean down);
}
