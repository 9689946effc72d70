package org.ascus.devices.net.tap;

import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.ascus.devices.net.Frame;
import org.ascus.devices.net.NetBackend;
import org.ascus.devices.net.NetPeer;
import org.ascus.devices.net.Offloads;
import org.ascus.machine.device.DeviceException;

/**
 * A tap interface of the host. What the guest sends is written at once by the thread that sends it; a thread of its own
 * reads what is for the guest, and waits when the guest has no room, so that the host's own queue fills up.
 */
public final class TapNet implements NetBackend {
  private static final int WAIT_MILLIS = 100;

  private final TapDevice device;
  private final TapScripts scripts;
  private final String description;
  private final Thread reader;
  private final Object writing = new Object();
  private volatile Optional<NetPeer> guest = Optional.empty();
  private volatile boolean closed;

  /**
   * Opens the interface and runs the script that sets it up.
   *
   * @param name of the interface; empty for one that the host chooses
   * @param scripts what is run with the interface's name when it is up and before it goes
   * @throws DeviceException with the host's reason
   */
  public TapNet(String id, String name, TapScripts scripts) throws DeviceException {
    this(id, () -> TapDevice.open(name), scripts, "type=tap");
  }

  /**
   * Takes over an interface on a bridge.
   *
   * @throws DeviceException saying why there is none
   */
  public TapNet(String id, BridgeHelper helper) throws DeviceException {
    this(id, () -> TapDevice.open(helper), TapScripts.NONE, "type=bridge,br=" + helper.bridge());
  }

  private interface Opener {
    TapDevice open() throws IOException;
  }

  private TapNet(String id, Opener opener, TapScripts scripts, String description) throws DeviceException {
    this.scripts = scripts;
    this.description = description;
    try {
      device = opener.open();
    } catch (IOException e) {
      throw new DeviceException(e.getMessage(), e);
    }
    try {
      scripts.up(device.name());
    } catch (IOException e) {
      device.close();
      throw new DeviceException(e.getMessage(), e);
    }
    reader = Thread.ofPlatform().daemon().name("ascus-net-" + id).start(this::readAll);
  }

  private void readAll() {
    try {
      while (!closed) {
        if (guest.isPresent() && device.await(WAIT_MILLIS)) {
          byte[] bytes = device.read();
          if (bytes.length >= Frame.HEADER) {
            deliver(new Frame(bytes));
          }
        } else if (guest.isEmpty()) {
          LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(WAIT_MILLIS));
        }
      }
    } catch (IOException e) {
      // The interface was taken away: nothing comes any more.
    }
  }

  private void deliver(Frame frame) {
    while (!closed && !guest.orElseThrow().receive(frame)) {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(WAIT_MILLIS));
    }
  }

  /** Its name. */
  public String name() {
    return device.name();
  }

  @Override
  public Offloads offloads() {
    return Offloads.NONE;
  }

  @Override
  public boolean receive(Frame frame) {
    synchronized (writing) {
      if (!closed && frame.length() <= Frame.MAX_BYTES) {
        device.write(frame.finished().bytes());
      }
    }
    return true;
  }

  @Override
  public void roomAgain() {
    LockSupport.unpark(reader);
  }

  @Override
  public void connect(NetPeer peer) {
    guest = Optional.of(peer);
    LockSupport.unpark(reader);
  }

  @Override
  public String describe() {
    return description + ",ifname=" + device.name() + scripts.describe();
  }

  @Override
  public void close() {
    synchronized (writing) {
      if (closed) {
        return;
      }
      closed = true;
    }
    LockSupport.unpark(reader);
    try {
      reader.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return;
    }
    scripts.down(device.name());
    device.close();
  }
}
