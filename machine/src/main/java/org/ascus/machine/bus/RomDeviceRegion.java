package org.ascus.machine.bus;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Memory with commands, such as NOR flash. In array mode it is ROM that guests read and execute like any other, whose
 * writes go to the device; otherwise reads and writes go to the device. A flat view has it as what it is at the time: a
 * {@link RamRegion} with {@link RamRegion#stores} or an {@link MmioRegion}.
 */
public final class RomDeviceRegion implements Region {
  private final RamRegion array;
  private final MmioRegion commands;
  private final List<AddressSpace> spaces = new CopyOnWriteArrayList<>();
  private volatile boolean arrayMode;

  /**
   * @param ram the contents
   * @param commands the device, of the size of {@code ram}
   * @param arrayMode the mode to start in
   */
  public RomDeviceRegion(GuestRam ram, MmioRegion commands, boolean arrayMode) {
    if (commands.size() != ram.size()) {
      throw new IllegalArgumentException(commands.name() + " has another size than its memory");
    }
    this.array = new RamRegion(commands.name(), ram, false, Optional.of(commands));
    this.commands = commands;
    this.arrayMode = arrayMode;
  }

  @Override
  public String name() {
    return commands.name();
  }

  @Override
  public long size() {
    return commands.size();
  }

  public boolean isArrayMode() {
    return arrayMode;
  }

  /** Changes what reads do; a change is a change of the layout of each address space that has this region. */
  public void setArrayMode(boolean on) {
    if (arrayMode != on) {
      arrayMode = on;
      spaces.forEach(AddressSpace::layoutChanged);
    }
  }

  /** What a flat view has now. */
  Region current() {
    return arrayMode ? array : commands;
  }

  void mappedIn(AddressSpace space) {
    if (!spaces.contains(space)) {
      spaces.add(space);
    }
  }
}
