package org.ascus.launcher.img;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;

/** Has {@code ascus-img} and {@code qemu-img} do the same with files of a folder of the test's. */
abstract class ImageTools {
  @TempDir Path dir;

  record Result(int code, String out, String errors) {}

  /** A file of the test. */
  final Path path(String name) {
    return dir.resolve(name);
  }

  /** Words; those that begin with @ are files. */
  final List<String> words(String line) {
    return Arrays.stream(line.split(" ")).map(w -> w.replace("@", dir + "/")).toList();
  }

  /** What {@code ascus-img} says and ends with. */
  final Result img(String line) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream errors = new ByteArrayOutputStream();
    int code = ImgMain.run(words(line), new PrintStream(out), new PrintStream(errors));
    return new Result(code, out.toString(StandardCharsets.UTF_8), errors.toString(StandardCharsets.UTF_8));
  }

  /** {@link #img} that must succeed. */
  final Result good(String line) {
    Result result = img(line);
    assertThat(result.code()).as(line + ": " + result).isZero();
    return result;
  }

  /** What {@code qemu-img} says and ends with, under our name. */
  final Result qemu(String line) throws Exception {
    List<String> command = new ArrayList<>(List.of("qemu-img"));
    command.addAll(words(line));
    Path errors = path("stderr");
    Process process = new ProcessBuilder(command).redirectError(errors.toFile()).start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Result(process.waitFor(), out, Files.readString(errors).replace("qemu-img: ", "ascus-img: "));
  }

  /** Skips the test, saying so, where there is no {@code qemu-img}. */
  static void needQemuImg() throws InterruptedException {
    try {
      new ProcessBuilder("qemu-img", "--version").redirectErrorStream(true)
          .redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor();
    } catch (IOException e) {
      System.err.println("SKIPPED: this needs qemu-img (apt install qemu-utils): " + e.getMessage());
      assumeTrue(false, "qemu-img is not installed");
    }
  }
}
