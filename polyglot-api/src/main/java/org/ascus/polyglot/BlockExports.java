package org.ascus.polyglot;

import java.io.IOException;
import java.net.SocketAddress;
import java.util.Map;
import java.util.Optional;
import org.ascus.devices.block.Drive;
import org.ascus.devices.block.nbd.NbdExport;
import org.ascus.devices.block.nbd.NbdServer;

/** The NBD server inside a machine: clients on the host use its disks while the guest does. */
public final class BlockExports {
  private final Map<String, Drive> drives;
  private Optional<NbdServer> server = Optional.empty();

  BlockExports(Map<String, Drive> drives) {
    this.drives = drives;
  }

  /**
   * Starts the server, without exports.
   *
   * @throws VmException when there is one already, or the address cannot be used
   */
  public synchronized void start(SocketAddress address) throws VmException {
    if (server.isPresent()) {
      throw new VmException("NBD server already running");
    }
    try {
      server = Optional.of(NbdServer.listen(address, new NbdServer.Options(Optional.empty(), Optional.empty(), 0)));
    } catch (IOException e) {
      throw new VmException(e.getMessage(), e);
    }
  }

  /** Where the server listens, if there is one. */
  public synchronized Optional<SocketAddress> address() {
    return server.map(NbdServer::localAddress);
  }

  private NbdServer running() throws VmException {
    return server.orElseThrow(() -> new VmException("NBD server not running"));
  }

  /**
   * Offers a disk.
   *
   * @param name by which clients ask for it
   * @param writable whether they may write
   */
  public synchronized void add(String drive, String name, boolean writable) throws VmException {
    NbdServer to = running();
    Drive found = drives.get(drive);
    if (found == null) {
      throw new VmException("Cannot find device='" + drive + "' nor node-name='" + drive + "'");
    }
    if (found.medium().isEmpty()) {
      throw new VmException("Device '" + drive + "' has no medium");
    }
    if (writable && found.readOnly()) {
      throw new VmException("Block node '" + drive + "' is read-only");
    }
    try {
      if (!to.add(new NbdExport(name, "", found, !writable, false))) {
        throw new VmException("NBD server already has export named '" + name + "'");
      }
    } catch (IllegalArgumentException e) {
      throw new VmException("export name too long", e);
    }
  }

  /** Takes an export away from new clients. */
  public synchronized void remove(String name) throws VmException {
    if (!running().remove(name)) {
      throw new VmException("Export '" + name + "' is not found");
    }
  }

  /** Ends the server and drops its clients. */
  public synchronized void stop() throws VmException {
    running().close();
    server = Optional.empty();
  }

  synchronized void close() {
    server.ifPresent(NbdServer::close);
    server = Optional.empty();
  }
}
