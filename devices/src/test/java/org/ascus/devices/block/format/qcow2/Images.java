package org.ascus.devices.block.format.qcow2;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.format.ImageOptions;
import org.ascus.devices.block.protocol.FileProtocol;

/** Makes, opens and checks images for the tests. */
final class Images {
  static final FileProtocol.Options GROWABLE = new FileProtocol.Options(false, true, true);

  private Images() {}

  /** Makes an image in a file that exists; it is opened with its backing and data files. */
  static Qcow2Node create(Path path, Qcow2Options options) throws BlockException {
    return Qcow2Node.create(
        FileProtocol.open(path, GROWABLE),
        options,
        new Qcow2Node.Files() {
          @Override
          public Optional<BlockNode> backing(String name, String format) throws BlockException {
            return Optional.of(new ImageOptions(path.resolveSibling(name), format, true, false, true).open());
          }

          @Override
          public BlockNode data(String name) throws BlockException {
            return FileProtocol.open(path.resolveSibling(name), GROWABLE);
          }
        });
  }

  static Qcow2Node open(Path path) throws BlockException {
    return (Qcow2Node) new ImageOptions(path, "qcow2", false, false, true).open();
  }

  static CheckResult check(Path path) throws BlockException {
    try (BlockNode file = FileProtocol.open(path, GROWABLE)) {
      return Qcow2Check.check(file, Qcow2Check.Repair.NONE);
    }
  }

  /** What a program said. */
  record Output(int code, String text) {}

  static boolean have(String program) {
    try {
      return run(Path.of("."), program, "--version").code() == 0;
    } catch (IOException e) {
      System.err.println("SKIPPED: needs " + program + " (apt install qemu-utils): " + e.getMessage());
      return false;
    }
  }

  static Output run(Path dir, String... command) throws IOException {
    List<String> words = new ArrayList<>(List.of(command));
    Process process = new ProcessBuilder(words).directory(dir.toFile()).redirectErrorStream(true).start();
    String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      return new Output(process.waitFor(), text);
    } catch (InterruptedException e) {
      process.destroyForcibly();
      throw new IOException(e);
    }
  }
}
