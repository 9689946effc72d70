package org.ascus.devices.net.user;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.ascus.devices.net.Checksum;

/**
 * The TFTP server of the guest's network (RFC 1350; options RFC 2347, block size RFC 2348, size RFC 2349): reads files
 * of one folder, and nothing outside of it.
 */
final class Tftp {
  static final int PORT = 69;

  private static final int READ = 1;
  private static final int DATA = 3;
  private static final int ACK = 4;
  private static final int ERROR = 5;
  private static final int OPTIONS = 6;

  private static final int NOT_FOUND = 1;
  private static final int ACCESS = 2;
  private static final int ILLEGAL = 4;

  private static final int BLOCK = 512;
  private static final int MOST_BLOCK = 1428;
  private static final int MOST_SESSIONS = 20;

  private record Session(FileChannel file, int block, long size) {}

  private final Path folder;
  private final GuestLink link;
  private final Map<FlowKey, Session> sessions = new LinkedHashMap<>(16, 0.75f, true);

  Tftp(Path folder, GuestLink link) {
    this.folder = folder;
    this.link = link;
  }

  /** Takes a message of a client. */
  void input(FlowKey key, byte[] m) {
    if (m.length < 4) {
      return;
    }
    try {
      switch (IpPacket.read16(m, 0)) {
        case READ -> read(key, m);
        case ACK -> acknowledged(key, IpPacket.read16(m, 2));
        case ERROR -> end(key);
        default -> error(key, ILLEGAL, "Illegal operation");
      }
    } catch (IOException e) {
      end(key);
      error(key, ACCESS, "Access violation");
    }
  }

  private void read(FlowKey key, byte[] m) throws IOException {
    end(key);
    List<String> words = new ArrayList<>();
    int start = 2;
    for (int i = 2; i < m.length; i++) {
      if (m[i] == 0) {
        words.add(new String(m, start, i - start, StandardCharsets.UTF_8));
        start = i + 1;
      }
    }
    if (words.size() < 2 || !words.get(1).toLowerCase(Locale.ROOT).equals("octet")) {
      error(key, ILLEGAL, "Unsupported transfer mode");
      return;
    }
    Optional<Path> file = file(words.getFirst());
    if (file.isEmpty()) {
      error(key, NOT_FOUND, "File not found");
      return;
    }
    if (sessions.size() == MOST_SESSIONS) {
      end(sessions.keySet().iterator().next());
    }
    FileChannel channel = FileChannel.open(file.get());
    long size = channel.size();
    int block = BLOCK;
    ByteArrayOutputStream agreed = new ByteArrayOutputStream();
    Set<String> seen = new HashSet<>();
    for (int i = 2; i + 1 < words.size(); i += 2) {
      String value = words.get(i + 1);
      String name = words.get(i).toLowerCase(Locale.ROOT);
      // One that is there again and again would make the answer larger than any packet.
      switch (seen.add(name) ? name : "") {
        case "tsize" -> agree(agreed, words.get(i), Long.toString(size));
        case "blksize" -> {
          if (value.matches("[0-9]{1,5}") && Integer.parseInt(value) >= 8) {
            block = Math.min(MOST_BLOCK, Integer.parseInt(value));
            agree(agreed, words.get(i), Integer.toString(block));
          }
        }
        default -> {}
      }
    }
    sessions.put(key, new Session(channel, block, size));
    if (agreed.size() > 0) {
      send(key, OPTIONS, agreed.toByteArray());
    } else {
      acknowledged(key, 0);
    }
  }

  private static void agree(ByteArrayOutputStream out, String name, String value) {
    out.writeBytes(name.getBytes(StandardCharsets.UTF_8));
    out.write(0);
    out.writeBytes(value.getBytes(StandardCharsets.UTF_8));
    out.write(0);
  }

  /** The file of a name; nothing if it is not a plain file in the folder, links followed. */
  private Optional<Path> file(String name) throws IOException {
    try {
      Path root = folder.toRealPath();
      Path file = root.resolve(name.replaceAll("^/+", ""));
      Path real = Files.isRegularFile(file) ? file.toRealPath() : root;
      return real.startsWith(root) && !real.equals(root) ? Optional.of(real) : Optional.empty();
    } catch (InvalidPathException e) {
      return Optional.empty();
    }
  }

  /** Sends the block after the one that came. */
  private void acknowledged(FlowKey key, int number) throws IOException {
    Session s = sessions.get(key);
    if (s == null) {
      error(key, ILLEGAL, "Unknown transfer");
      return;
    }
    // Block numbers wrap; which round it is follows from where the last read was, kept as the file's position.
    long last = s.file().position() / s.block();
    long block = (last & ~0xffffL) + number;
    if (block > last + 0x8000) {
      block -= 0x10000;
    }
    long at = block * s.block();
    if (at < 0 || at > s.size()) {
      end(key);
      return;
    }
    ByteBuffer data = ByteBuffer.allocate((int) Math.min(s.block(), s.size() - at) + 2);
    data.putShort((short) (block + 1));
    int count = 0;
    while (data.hasRemaining() && count >= 0) {
      count = s.file().read(data, at + data.position() - 2);
    }
    s.file().position(at);
    send(key, DATA, Arrays.copyOf(data.array(), data.position()));
  }

  private void error(FlowKey key, int code, String text) {
    byte[] message = new byte[2 + text.length() + 1];
    Checksum.put(message, 0, code);
    System.arraycopy(text.getBytes(StandardCharsets.US_ASCII), 0, message, 2, text.length());
    send(key, ERROR, message);
  }

  private void send(FlowKey key, int operation, byte[] rest) {
    byte[] message = new byte[2 + rest.length];
    Checksum.put(message, 0, operation);
    System.arraycopy(rest, 0, message, 2, rest.length);
    link.sendUdp(key.remote(), key.remotePort(), key.guest(), key.guestPort(), message);
  }

  private void end(FlowKey key) {
    Session session = sessions.remove(key);
    if (session != null) {
      try {
        session.file().close();
      } catch (IOException e) {
        // It was only read.
      }
    }
  }

  void close() {
    List.copyOf(sessions.keySet()).forEach(this::end);
  }
}
