package org.ascus.launcher.img;

import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CountDownLatch;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.Drive;
import org.ascus.devices.block.format.ImageOptions;
import org.ascus.devices.block.format.qcow2.Bitmap;
import org.ascus.devices.block.format.qcow2.Qcow2Node;
import org.ascus.devices.block.nbd.DirtyRanges;
import org.ascus.devices.block.nbd.NbdAddress;
import org.ascus.devices.block.nbd.NbdExport;
import org.ascus.devices.block.nbd.NbdServer;
import org.ascus.devices.block.protocol.Location;
import org.ascus.devices.security.Authorization;
import org.ascus.devices.security.TlsCredentials;
import org.ascus.launcher.options.Version;

/** {@code ascus-nbd [options] FILE}: serves an image to NBD clients. */
public final class NbdMain {
  private static final String PORT = "10809";
  private static final String CHILD = "ASCUS_NBD_CHILD";
  private static final String ACTIVATED = "ASCUS_NBD_ACTIVATED";
  private static final String USAGE =
      """
      usage: ascus-nbd [options] FILE
             ascus-nbd -L [options]
        -p, --port=PORT           port to listen on (default 10809)
        -b, --bind=IFACE          address to listen on (default 0.0.0.0)
        -k, --socket=PATH         unix socket to listen on instead
        -e, --shared=NUM          clients at the same time (default 1, 0 for any number)
        -t, --persistent          go on when the last client left
        -x, --export-name=NAME    name of the export (default empty)
        -D, --description=TEXT    what the export is
        -o, --offset=OFFSET       where a raw image begins in its file
        -f, --format=FORMAT       format of the image, probed otherwise
        -r, --read-only           clients may not write
        -s, --snapshot            what clients write is forgotten at the end
        -l, --load-snapshot=PARAM the image as it was at a snapshot, read-only: its id or name, or
                                  snapshot.id=ID,snapshot.name=NAME
        -n, --nocache             the same as --cache=none
            --cache=MODE          none, writeback (default), writethrough, directsync or unsafe
            --aio=MODE            threads, native or io_uring
            --discard=MODE        ignore or unmap (default)
            --detect-zeroes=MODE  off (default), on or unmap
        -A, --allocation-depth    offer the context qemu:allocation-depth
        -B, --bitmap=NAME         offer a bitmap of the image as context qemu:dirty-bitmap:NAME
            --image-opts          FILE is a description, driver=... and so on
            --object=TYPE,id=ID   a secret, tls-creds-x509 or authz object
            --tls-creds=ID        encrypt
            --tls-hostname=NAME   with -L: whom the server's certificate is for
            --tls-authz=ID        whose certificates are let in
            --fork                come back when clients can connect, and serve in the background
            --pid-file=PATH       where to write the number of the process
        -L, --list                list the exports of a server
        -v, -V, --version, -h, --help
      """;

  private final Words w;
  private final Images images;
  private final PrintStream out;

  private NbdMain(Words w, PrintStream out) throws ImgException {
    this.w = w;
    this.images = new Images(w);
    this.out = out;
  }

  /** Serves until it is told to stop or the last client left. */
  public static void main(String[] arguments) {
    int code = run(List.of(arguments), System.out, System.err);
    System.out.flush();
    System.exit(code);
  }

  static int run(List<String> arguments, PrintStream out, PrintStream errors) {
    try {
      Words w = new Words("ascus-nbd", arguments, "p:", "port=", "b:", "bind=", "k:", "socket=", "e:", "shared=", "t",
          "persistent", "x:", "export-name=", "D:", "description=", "o:", "offset=", "f:", "format=", "r", "read-only",
          "s", "snapshot", "l:", "load-snapshot=", "n", "nocache", "cache=", "aio=", "discard=", "detect-zeroes=", "A",
          "allocation-depth",
          "image-opts", "tls-creds=", "tls-hostname=", "tls-authz=", "fork", "pid-file=", "L", "list", "v", "verbose",
          "V", "version", "h", "help", "B:", "bitmap=");
      if (w.has("h") || w.has("help")) {
        out.print(USAGE);
        return 0;
      }
      if (w.has("V") || w.has("version")) {
        out.println("ascus-nbd " + Version.NUMBER);
        return 0;
      }
      NbdMain made = new NbdMain(w, out);
      if (activated()) {
        made.refuseAddress();
      }
      if (w.has("L") || w.has("list")) {
        return made.list();
      }
      if (w.has("fork") && System.getenv(CHILD) == null) {
        return fork();
      }
      return made.serve();
    } catch (ImgException | BlockException | IOException e) {
      errors.println("ascus-nbd: " + e.getMessage());
      return 1;
    }
  }

  private Optional<String> option(String letter, String name) {
    return w.get(letter).or(() -> w.get(name));
  }

  private boolean flag(String letter, String name) {
    return w.has(letter) || w.has(name);
  }

  private String oneOf(String name, String otherwise, String... allowed) throws ImgException {
    String value = w.get(name).orElse(otherwise);
    if (!List.of(allowed).contains(value)) {
      throw new ImgException("Invalid " + name + " mode `" + value + "'");
    }
    return value;
  }

  private SocketAddress address(String host) throws ImgException {
    Optional<String> socket = option("k", "socket");
    if (socket.isPresent()) {
      return UnixDomainSocketAddress.of(Path.of(socket.get()).toAbsolutePath());
    }
    String port = option("p", "port").orElse(PORT);
    if (!port.matches("[0-9]{1,5}") || Integer.parseInt(port) > 65535) {
      throw new ImgException("Invalid port '" + port + "'");
    }
    return new InetSocketAddress(option("b", "bind").orElse(host), Integer.parseInt(port));
  }

  private Optional<TlsCredentials> credentials(boolean server) throws ImgException {
    Optional<String> id = w.get("tls-creds");
    if (id.isEmpty()) {
      return Optional.empty();
    }
    TlsCredentials found = images.credentials(id.get());
    if (found.isServer() != server) {
      throw new ImgException("Expecting TLS credentials with a " + (server ? "server" : "client") + " endpoint");
    }
    return Optional.of(found);
  }

  private int list() throws ImgException, BlockException {
    if (!w.files().isEmpty()) {
      throw new ImgException("List mode does not take a file name");
    }
    SocketAddress server = address("localhost");
    String host = w.get("tls-hostname").orElse(server instanceof InetSocketAddress i ? i.getHostString() : "");
    String target = host.isEmpty() ? "" : host + ":" + option("p", "port").orElse(PORT);
    out.print(new NbdAddress(server.toString(), server, "", credentials(false), target, 0, 0).list());
    return 0;
  }

  private ImageOptions image() throws ImgException {
    boolean snapshot = flag("s", "snapshot");
    boolean readOnly = flag("r", "read-only") || option("l", "load-snapshot").isPresent();
    String name = w.files(1, "Invalid number of arguments\nTry `ascus-nbd --help' for more information.").getFirst();
    Optional<String> format = option("f", "format");
    ImageOptions image = readOnly ? images.source(name, format) : images.target(name, format);
    boolean unmap = oneOf("discard", "unmap", "ignore", "off", "unmap", "on").matches("unmap|on");
    String zeroes = oneOf("detect-zeroes", "off", "off", "on", "unmap");
    oneOf("aio", "threads", "threads", "native", "io_uring");
    ImageOptions.Details details = image.details().withUnmap(unmap).withDetectZeroes(!zeroes.equals("off"));
    if (option("o", "offset").isPresent()) {
      if (!format.equals(Optional.of("raw"))) {
        throw new ImgException("Offset is only possible with the raw format (-f raw)");
      }
      details = details.withWindow(Sizes.parse("offset", option("o", "offset").get()), OptionalLong.empty());
    }
    Location file = image.file();
    if (file instanceof Location.File f) {
      boolean direct = cache().equals("none") || cache().equals("directsync");
      file = new Location.File(f.path(), !cache().equals("unsafe"), direct);
    }
    return new ImageOptions(file, image.format(), readOnly, snapshot, image.locking(), details);
  }

  private String cache() throws ImgException {
    return oneOf("cache", flag("n", "nocache") ? "none" : "writeback", "none", "writeback", "writethrough",
        "directsync", "unsafe");
  }

  private int serve() throws ImgException, BlockException, IOException {
    String shared = option("e", "shared").orElse("1");
    if (!shared.matches("[0-9]{1,9}")) {
      throw new ImgException("Invalid shared device number '" + shared + "'");
    }
    Optional<TlsCredentials> tls = credentials(true);
    Optional<Authorization> authorization = Optional.empty();
    if (w.get("tls-authz").isPresent()) {
      if (tls.isEmpty()) {
        throw new ImgException("--tls-authz is not permitted without --tls-creds");
      }
      authorization = Optional.of(images.authorization(w.get("tls-authz").get()));
    }
    String name = option("x", "export-name").orElse("");
    String description = option("D", "description").orElse("");
    if (name.length() > 4096 || description.length() > 4096) {
      throw new ImgException((name.length() > 4096 ? "export name" : "export description") + " too long");
    }
    ImageOptions image = image();
    String mode = cache();
    try (BlockNode opened = Images.asOf(image, option("l", "load-snapshot"))) {
      Drive node = new Drive(name, opened);
      node.setWriteThrough(mode.equals("writethrough") || mode.equals("directsync"));
      NbdExport export =
          new NbdExport(name, description, node, image.readOnly(), flag("A", "allocation-depth"),
              bitmaps(opened, image.readOnly()));
      NbdServer server = server(new NbdServer.Options(tls, authorization, Integer.parseInt(shared)));
      CountDownLatch end = new CountDownLatch(1);
      CountDownLatch ended = new CountDownLatch(1);
      if (!flag("t", "persistent")) {
        server.whenLastLeft(end::countDown);
      }
      Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(end, ended)));
      server.add(export);
      try {
        ready();
        end.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } finally {
        server.close();
        try {
          opened.close();
        } finally {
          ended.countDown();
        }
      }
    }
    return 0;
  }

  private NbdServer server(NbdServer.Options options) throws ImgException, IOException {
    if (!activated()) {
      return NbdServer.listen(address("0.0.0.0"), options);
    }
    if (System.inheritedChannel() instanceof ServerSocketChannel socket) {
      return NbdServer.on(socket, options);
    }
    throw new ImgException("Failed to use socket activation: the file descriptor is no listening socket");
  }

  /** Whether the socket was made by whoever started this, such as systemd; bin/ascus-nbd has it as standard input. */
  private static boolean activated() {
    return System.getenv(ACTIVATED) != null;
  }

  /** What a socket that is there already leaves no room for. */
  private void refuseAddress() throws ImgException {
    String what = option("k", "socket").isPresent() ? "Unix socket"
        : option("b", "bind").isPresent() ? "The interface" : option("p", "port").isPresent() ? "TCP port number" : "";
    if (!what.isEmpty()) {
      throw new ImgException(what + " can't be set when using socket activation");
    }
    if (w.has("L") || w.has("list")) {
      throw new ImgException("List mode is incompatible with socket activation");
    }
  }

  private List<DirtyRanges> bitmaps(BlockNode node, boolean readOnly) throws ImgException, BlockException {
    Optional<String> name = option("B", "bitmap");
    if (name.isEmpty()) {
      return List.of();
    }
    if (!(node instanceof Qcow2Node image)) {
      throw new ImgException("Bitmap '" + name.get() + "' is not found");
    }
    Bitmap bitmap = image.bitmaps().get(name.get());
    if (readOnly && bitmap.enabled()) {
      throw new ImgException("Enabled bitmap '" + name.get() + "' incompatible with readonly export");
    }
    DirtyRanges ranges = new DirtyRanges(name.get());
    bitmap.forEachRange(ranges::add);
    return List.of(ranges);
  }

  /** A signal ends the process only after everything written is in the image. */
  private static void stop(CountDownLatch end, CountDownLatch ended) {
    end.countDown();
    try {
      ended.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void ready() throws IOException {
    if (w.get("pid-file").isPresent()) {
      Files.writeString(Path.of(w.get("pid-file").get()), ProcessHandle.current().pid() + "\n");
    }
    if (System.getenv(CHILD) != null) {
      out.println("ready");
      out.close();
    }
  }

  /** Starts this program once more and waits until that one listens; its errors are shown. */
  private static int fork() throws IOException, ImgException {
    ProcessHandle.Info self = ProcessHandle.current().info();
    List<String> command = new ArrayList<>();
    if (Files.isExecutable(Path.of("/usr/bin/setsid"))) {
      command.add("/usr/bin/setsid");
    }
    command.add(self.command().orElseThrow(() -> new ImgException("--fork is not possible on this system")));
    command.addAll(List.of(self.arguments().orElse(new String[0])));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put(CHILD, "1");
    Process child = builder.redirectInput(activated() ? ProcessBuilder.Redirect.INHERIT
            : ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
        .redirectError(ProcessBuilder.Redirect.INHERIT).start();
    try {
      return child.inputReader().readLine() != null ? 0 : child.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return 1;
    }
  }
}
