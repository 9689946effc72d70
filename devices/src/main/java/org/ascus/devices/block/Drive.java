package org.ascus.devices.block;

import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * What a device has a disk in: a node that may be taken out, put in and resized while the device uses it. Requests go
 * on side by side; a change waits for those that have begun. An empty drive has no bytes.
 *
 * <p>With write-through no write is done before it is on stable storage.
 */
public final class Drive implements BlockNode {
  /** The device that has the drive. Called without any lock of the drive's. */
  public interface User {
    /** The device's name. */
    String id();

    /** The medium has another size. */
    void resized();

    /** Whether the medium can be taken out. */
    default boolean removable() {
      return false;
    }

    /** Whether the guest does not want the medium to be taken out. */
    default boolean locked() {
      return false;
    }

    /** Whether the medium cannot be used because its tray is open. */
    default boolean trayOpen() {
      return false;
    }

    /** Somebody asks the guest to let the medium go. */
    default void ejectRequested() {}

    /** The tray was opened or closed by force, perhaps with another medium or none in it. */
    default void trayMoved(boolean open) {}
  }

  private final String id;
  private final ErrorPolicy errors;
  private final ReadWriteLock use = new ReentrantReadWriteLock();
  private Optional<BlockNode> medium;
  private volatile Optional<User> user = Optional.empty();
  private volatile boolean writeThrough;

  /**
   * A drive with something in it.
   *
   * @param medium closed with the drive
   */
  public Drive(String id, BlockNode medium) {
    this(id, medium, ErrorPolicy.DEFAULT);
  }

  /**
   * As above.
   *
   * @param errors what becomes of requests that fail, unless the device says otherwise
   */
  public Drive(String id, BlockNode medium, ErrorPolicy errors) {
    this(id, Optional.of(medium), errors);
  }

  /** A drive with nothing in it. */
  public Drive(String id) {
    this(id, Optional.empty(), ErrorPolicy.DEFAULT);
  }

  /** A drive with something or nothing in it. */
  public Drive(String id, Optional<BlockNode> medium, ErrorPolicy errors) {
    this.id = id;
    this.errors = errors;
    this.medium = medium;
  }

  /** The name by which devices find it. */
  public String id() {
    return id;
  }

  /** Whether each write is to be on stable storage when it is done, {@code cache=writethrough}. */
  public void setWriteThrough(boolean on) {
    writeThrough = on;
  }

  /** The drive is in {@code device} now. */
  public void attach(User device) {
    user = Optional.of(device);
  }

  /** The drive may go to another device. */
  public void detach() {
    user = Optional.empty();
  }

  public Optional<User> user() {
    return user;
  }

  public ErrorPolicy errors() {
    return errors;
  }

  /** What is in the drive. */
  public Optional<BlockNode> medium() {
    use.readLock().lock();
    try {
      return medium;
    } finally {
      use.readLock().unlock();
    }
  }

  /** Puts {@code next} in the place of what is there, which is closed. Nobody is told: see {@link User#trayMoved}. */
  public void replace(Optional<BlockNode> next) throws BlockException {
    Optional<BlockNode> old;
    use.writeLock().lock();
    try {
      old = medium;
      medium = next;
    } finally {
      use.writeLock().unlock();
    }
    if (old.isPresent()) {
      old.get().close();
    }
  }

  private interface Request<T> {
    T on(BlockNode node) throws BlockException;
  }

  private <T> T request(Request<T> request) throws BlockException {
    use.readLock().lock();
    try {
      return request.on(medium.orElseThrow(() -> new BlockException("drive '" + id + "' has no medium")));
    } finally {
      use.readLock().unlock();
    }
  }

  private interface Action {
    void on(BlockNode node) throws BlockException;
  }

  private void act(Action action) throws BlockException {
    request(
        node -> {
          action.on(node);
          return true;
        });
  }

  private void change(Action action) throws BlockException {
    act(
        node -> {
          action.on(node);
          if (writeThrough) {
            node.flush();
          }
        });
  }

  @Override
  public String name() {
    return medium().map(BlockNode::name).orElse(id);
  }

  @Override
  public String format() {
    return medium().map(BlockNode::format).orElse("");
  }

  @Override
  public long size() {
    return medium().map(BlockNode::size).orElse(0L);
  }

  @Override
  public boolean readOnly() {
    return medium().map(BlockNode::readOnly).orElse(true);
  }

  @Override
  public boolean writeThrough() {
    return writeThrough;
  }

  @Override
  public void read(long offset, ByteBuffer target) throws BlockException {
    act(node -> node.read(offset, target));
  }

  @Override
  public void read(long offset, ByteBuffer[] targets) throws BlockException {
    act(node -> node.read(offset, targets));
  }

  @Override
  public void write(long offset, ByteBuffer source) throws BlockException {
    change(node -> node.write(offset, source));
  }

  @Override
  public void write(long offset, ByteBuffer[] sources) throws BlockException {
    change(node -> node.write(offset, sources));
  }

  @Override
  public void flush() throws BlockException {
    if (medium().isPresent()) {
      act(BlockNode::flush);
    }
  }

  @Override
  public void discard(long offset, long length) throws BlockException {
    change(node -> node.discard(offset, length));
  }

  @Override
  public void writeZeroes(long offset, long length, boolean mayUnmap) throws BlockException {
    change(node -> node.writeZeroes(offset, length, mayUnmap));
  }

  @Override
  public Extent extent(long offset, long length) throws BlockException {
    return request(node -> node.extent(offset, length));
  }

  /** Changes the size of the medium and tells the device. */
  @Override
  public void resize(long bytes) throws BlockException {
    use.writeLock().lock();
    try {
      change(node -> node.resize(bytes));
    } finally {
      use.writeLock().unlock();
    }
    user.ifPresent(User::resized);
  }

  @Override
  public void close() throws BlockException {
    replace(Optional.empty());
  }
}
