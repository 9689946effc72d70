package org.ascus.devices.block.ssh;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.sftp.client.SftpClient;
import org.apache.sshd.sftp.client.SftpClient.CloseableHandle;
import org.apache.sshd.sftp.client.SftpClient.OpenMode;
import org.apache.sshd.sftp.client.SftpClientFactory;
import org.apache.sshd.sftp.client.extensions.openssh.OpenSSHFsyncExtension;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.Uninterrupted;
import org.ascus.devices.block.protocol.FileProtocol;

/**
 * A file on another host, by SFTP. One request at a time goes over the connection. A flush reaches the disk of the host
 * if its server knows {@code fsync@openssh.com}; others write when they like, and a flush says so by failing.
 */
final class SshNode implements BlockNode {
  private static final Duration TIMEOUT = Duration.ofSeconds(30);
  private static final int SECTOR = 512;
  private static final int PIECE = 256 << 10;

  private final SshAddress address;
  private final SshClient client;
  private final SftpClient sftp;
  private final CloseableHandle file;
  private final FileProtocol.Options options;
  private final byte[] piece = new byte[PIECE];
  private volatile long exact;
  private boolean closed;

  private SshNode(
      SshAddress address, SshClient client, SftpClient sftp, CloseableHandle file, FileProtocol.Options options)
      throws IOException {
    this.address = address;
    this.client = client;
    this.sftp = sftp;
    this.file = file;
    this.options = options;
    this.exact = sftp.stat(file).getSize();
  }

  static SshNode open(SshAddress address, FileProtocol.Options options) throws BlockException {
    SshClient client = SshClient.setUpDefaultClient();
    client.setServerKeyVerifier(
        address.check().verifier(Path.of(System.getProperty("user.home"), ".ssh", "known_hosts")));
    client.start();
    try {
      ClientSession session =
          client.connect(address.user(), address.host(), address.port()).verify(TIMEOUT).getSession();
      session.auth().verify(TIMEOUT);
      SftpClient sftp = SftpClientFactory.instance().createSftpClient(session);
      EnumSet<OpenMode> modes =
          options.readOnly() ? EnumSet.of(OpenMode.Read) : EnumSet.of(OpenMode.Read, OpenMode.Write);
      return new SshNode(address, client, sftp, sftp.open(address.path(), modes), options);
    } catch (IOException | RuntimeException e) {
      client.stop();
      throw new BlockException("Could not open '" + address.url() + "': " + e.getMessage(), e);
    }
  }

  @Override
  public String name() {
    return address.url();
  }

  @Override
  public long size() {
    return options.growable() ? exact : Math.ceilDiv(exact, (long) SECTOR) * SECTOR;
  }

  @Override
  public boolean readOnly() {
    return options.readOnly();
  }

  @Override
  public void checkRange(long offset, long length) throws BlockException {
    if (!options.growable() || offset < 0 || length < 0 || offset > Long.MAX_VALUE - length) {
      BlockNode.super.checkRange(offset, length);
    }
  }

  private synchronized void request(String what, Uninterrupted.Body body) throws BlockException {
    try {
      Uninterrupted.run(body);
    } catch (IOException | RuntimeException e) {
      throw new BlockException(name() + ": " + what + ": " + e.getMessage(), e);
    }
  }

  @Override
  public void read(long offset, ByteBuffer target) throws BlockException {
    checkRange(offset, target.remaining());
    request(
        "read at " + offset,
        () -> {
          long at = offset;
          while (target.hasRemaining()) {
            int wanted = Math.min(PIECE, target.remaining());
            int count = at >= exact ? -1 : sftp.read(file, at, piece, 0, wanted);
            if (count <= 0) {
              target.put(new byte[wanted]);
              at += wanted;
            } else {
              target.put(piece, 0, count);
              at += count;
            }
          }
        });
  }

  @Override
  public void write(long offset, ByteBuffer source) throws BlockException {
    checkWritable();
    checkRange(offset, source.remaining());
    request(
        "write at " + offset,
        () -> {
          long at = offset;
          while (source.hasRemaining()) {
            int count = Math.min(PIECE, source.remaining());
            source.get(piece, 0, count);
            sftp.write(file, at, piece, 0, count);
            at += count;
            exact = Math.max(exact, at);
          }
        });
  }

  @Override
  public void flush() throws BlockException {
    if (readOnly() || !options.durable()) {
      return;
    }
    request(
        "flush",
        () -> {
          OpenSSHFsyncExtension sync = sftp.getExtension(OpenSSHFsyncExtension.class);
          if (!sync.isSupported()) {
            throw new IOException("the server does not support fsync (use cache.no-flush=on to do without)");
          }
          sync.fsync(file);
        });
  }

  /** The file keeps them. */
  @Override
  public void discard(long offset, long length) throws BlockException {
    checkWritable();
    checkRange(offset, length);
  }

  @Override
  public void writeZeroes(long offset, long length, boolean mayUnmap) throws BlockException {
    checkRange(offset, length);
    for (long at = offset; at < offset + length; ) {
      int count = (int) Math.min(PIECE, offset + length - at);
      write(at, ByteBuffer.allocate(count));
      at += count;
    }
  }

  @Override
  public void resize(long bytes) throws BlockException {
    checkWritable();
    request(
        "resize to " + bytes,
        () -> {
          if (bytes > exact) {
            // Not all servers make a file longer by its attributes.
            sftp.write(file, bytes - 1, new byte[1], 0, 1);
          } else {
            sftp.setStat(file, new SftpClient.Attributes().size(bytes));
          }
          exact = bytes;
        });
  }

  @Override
  public synchronized void close() throws BlockException {
    if (!closed) {
      closed = true;
      try {
        flush();
        request("close", file::close);
      } finally {
        client.stop();
      }
    }
  }
}
