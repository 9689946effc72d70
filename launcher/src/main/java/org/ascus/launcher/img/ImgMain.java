package org.ascus.launcher.img;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.ascus.devices.block.BlockException;

/** {@code ascus-img COMMAND ...}. */
public final class ImgMain {
  private static final String USAGE =
      """
      usage: ascus-img COMMAND [options], with qemu-img's options for the commands below; all of them take
      --object secret,id=ID,data=TEXT|file=FILE for encrypted images; those that read an image take --image-opts
        bench    [-c COUNT] [-d DEPTH] [-f FMT] [-o OFFSET] [-s SIZE] [-S STEP] [-w [--pattern=BYTE]
                 [--flush-interval=COUNT]] [-q] FILE
        amend    [-f FMT] -o OPTIONS FILE (-o help lists the options, here and where images are made)
        bitmap   (--add [-g SIZE] | --remove | --clear | --enable | --disable | --merge SOURCE [-b FILE [-F FMT]])...
                 [-f FMT] FILE BITMAP
        check    [-q] [-f FMT] [--output=human|json] [-r leaks|all] FILE
        commit   [-q] [-f FMT] [-b BASE] [-r BYTES/S] [-d] [-p] FILE
        compare  [-f FMT] [-F FMT] [-p] [-q] [-s] FILE1 FILE2
        convert  [-n] [-p] [-q] [-c] [--bitmaps] [--salvage] [-f FMT] [-O FMT] [-o OPTIONS] [-B BACKING -F FMT]
                 [-S SIZE] [-r BYTES/S] [-l SNAPSHOT] FILE... OUTPUT
        create   [-q] [-f FMT] [-b BACKING [-F FMT]] [-u] [-o OPTIONS] FILE [SIZE]
        dd       [-f FMT] [-O FMT] [bs=SIZE] [count=BLOCKS] [skip=BLOCKS] if=FILE of=OUTPUT
        info     [-f FMT] [--output=human|json] [--backing-chain] FILE
        map      [-f FMT] [--output=human|json] FILE
        measure  [--output=human|json] [-O FMT] [-o OPTIONS] [--size SIZE | [-f FMT] [-l SNAPSHOT] FILE]
        rebase   [-q] [-f FMT] [-p] [-u] -b BACKING [-F FMT] FILE
        resize   [-q] [-f FMT] [--shrink] [--preallocation=off|metadata|falloc|full] FILE [+|-]SIZE
        snapshot [-q] [-l | -a NAME | -c NAME | -d NAME] FILE
      """;

  private static final String TRAIN = "train";

  private ImgMain() {}

  /** Ends the process with qemu-img's exit code. */
  public static void main(String[] arguments) {
    int code = run(List.of(arguments), System.out, System.err);
    System.out.flush();
    System.exit(code);
  }

  /** What {@link #main} does, but for the end. */
  static int run(List<String> arguments, PrintStream out, PrintStream errors) {
    if (arguments.isEmpty()) {
      errors.println("ascus-img: Not enough arguments\nTry 'ascus-img --help' for more information");
      return 1;
    }
    String command = arguments.getFirst();
    List<String> words = arguments.subList(1, arguments.size());
    if (command.equals(TRAIN)) {
      return train(errors);
    }
    try {
      return switch (command) {
        case "-h", "--help" -> {
          out.print(USAGE);
          yield 0;
        }
        case "amend" -> AmendCommand.run(words, out);
        case "bitmap" -> BitmapCommand.run(words);
        case "check" -> CheckCommand.run(words, out, errors);
        case "commit" -> CommitCommand.run(words, out);
        case "bench" -> BenchCommand.run(words, out);
        case "compare" -> CompareCommand.run(words, out);
        case "convert" -> ConvertCommand.run(words, out, errors);
        case "create" -> EditCommands.create(words, out);
        case "dd" -> ConvertCommand.dd(words);
        case "info" -> InfoCommand.run(words, out);
        case "map" -> MapCommand.run(words, out);
        case "measure" -> MeasureCommand.run(words, out);
        case "rebase" -> EditCommands.rebase(words, out);
        case "resize" -> EditCommands.resize(words, out, errors);
        case "snapshot" -> EditCommands.snapshot(words, out);
        default -> throw new ImgException(
            "Command not found: " + command + "\nTry 'ascus-img --help' for more information");
      };
    } catch (ImgException | BlockException e) {
      errors.println("ascus-img: " + e.getMessage());
      // A check or a comparison that could not be made is not one that found something.
      return command.equals("compare") ? 2 : 1;
    }
  }

  /** Small calls from which the JVM records the classes that calls need, so that later ones load them at once. */
  private static int train(PrintStream errors) {
    var quiet = new PrintStream(OutputStream.nullOutputStream());
    try {
      Path folder = Files.createTempDirectory("ascus-");
      String raw = folder.resolve("raw").toString();
      String qcow2 = folder.resolve("qcow2").toString();
      try {
        Files.write(Path.of(raw), new byte[] {1});
        int code = 0;
        for (String call : List.of("create -q -f qcow2 QCOW2 1M", "convert -c -f raw -O qcow2 RAW QCOW2",
            "convert -f raw -O qcow2 RAW QCOW2", "convert -f qcow2 -O raw QCOW2 RAW", "check QCOW2", "info QCOW2",
            "map QCOW2", "compare -f qcow2 -F raw QCOW2 RAW")) {
          var words = Stream.of(call.split(" ")).map(w -> w.equals("RAW") ? raw : w.equals("QCOW2") ? qcow2 : w);
          code = Math.max(code, run(words.toList(), quiet, errors));
        }
        return code;
      } finally {
        Files.deleteIfExists(Path.of(raw));
        Files.deleteIfExists(Path.of(qcow2));
        Files.delete(folder);
      }
    } catch (IOException e) {
      errors.println("ascus-img: " + e.getMessage());
      return 1;
    }
  }
}
