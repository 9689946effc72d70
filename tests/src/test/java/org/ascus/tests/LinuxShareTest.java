package org.ascus.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.ascus.tests.support.ConsoleProcess;
import org.ascus.tests.support.Host;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A stock Linux guest mounts folders of the host, one of each security model that needs no rights, and copies a tree
 * out of each and back: names, contents, modes, times and links are the same at every step.
 */
class LinuxShareTest {
  private static final Duration BOOT = Duration.ofMinutes(5);
  private static final Duration SOON = Duration.ofMinutes(1);
  private static final String HIDDEN = ".virtfs_metadata";

  /**
   * Lists of what the guest sees are written beside the trees. What it does to the copy in the end shows that the
   * mapped models keep what the host's file system would not let it have.
   */
  private static final String SCRIPT =
      """
      list() {
        cd $1
        find . -type f -print0 | sort -z | xargs -0 sha256sum
        find . -type f -print0 | sort -z | xargs -0 stat -c '%a %Y %n'
        find . -type d -print0 | sort -z | xargs -0 stat -c '%a %n'
        find . -type l | sort | while read -r l; do echo "$l -> $(readlink "$l")"; done
        cd /
      }
      for model in none mapped-file mapped-xattr; do
        top=/9p/
        if [ $model != none ]; then
          top=/$model
          mkdir $top
          mount -t 9p -o trans=virtio,version=9p2000.L,msize=131072 $model $top || { echo "no $model"; continue; }
        fi
        list $top/in >$top/seen
        cp -a $top/in /tmp/$model
        list /tmp/$model >$top/copied
        cp -a /tmp/$model $top/out
        list $top/out >$top/back
        mkdir $top/own
        cd $top/own
        echo kept >f && ln f g && mv g h && ln -s f l && cat l
        if [ $model != none ]; then
          chown 7:8 f && chmod 4755 f && chown -h 9:10 l && mknod c c 1 3 && mkfifo p
          echo "$model: $(stat -c '%a,%u,%g,%F,%h' h) $(stat -c '%u,%g,%F' l) $(stat -c '%F,%t,%T' c) $(stat -c %F p)"
        fi
        cd $top/..
        echo "$model: up $(ls -a $top/.. | grep -c '^secret')"
      done
      """;

  private static final List<String> MODELS = List.of("none", "mapped-file", "mapped-xattr");

  @TempDir Path top;

  @Test
  void aTreeIsCopiedBothWaysByEverySecurityModel() throws Exception {
    Path guest = Host.requireRiscv64Guest();
    Files.writeString(top.resolve("secret"), "not for the guest");
    List<String> models = MODELS.stream().filter(m -> !m.equals("mapped-xattr") || takesAttributes(top)).toList();
    for (String model : models) {
      makeTree(Files.createDirectories(top.resolve(model + "/in")));
    }
    Files.writeString(top.resolve("none/script"), SCRIPT);
    try (var console = boot(guest, models)) {
      console.expect("GUEST-READY", BOOT);
      String said = console.expect("GUEST-DONE rc=0", BOOT);
      for (String model : models) {
        assertThat(said).contains(model + ": up 0");
        if (!model.equals("none")) {
          assertThat(said).contains(
              model + ": 4755,7,8,regular file,2 9,10,symbolic link character special file,1,3 fifo");
        }
      }
      assertThat(console.awaitExit(SOON)).isZero();
    }
    for (String model : models) {
      List<String> sent = list(top.resolve(model + "/in"), false);
      for (String seen : List.of("seen", "copied", "back")) {
        assertThat(Files.readAllLines(top.resolve(model + "/" + seen))).as(model + ": " + seen).isEqualTo(sent);
      }
      boolean mapped = !model.equals("none");
      assertThat(list(top.resolve(model + "/out"), mapped)).as(model + ": on the host").isEqualTo(
          mapped ? list(top.resolve(model + "/in"), true) : sent);
      assertThat(top.resolve(model + "/own/h")).hasContent("kept\n");
      assertThat(Files.isSymbolicLink(top.resolve(model + "/own/l"))).isEqualTo(!mapped);
    }
  }

  private static void makeTree(Path in) throws IOException {
    Random random = new Random(9);
    for (int i = 0; i < 40; i++) {
      Path file = in.resolve("d" + i % 7 + "/e" + i % 3 + "/f " + i);
      Files.createDirectories(file.getParent());
      byte[] content = new byte[random.nextInt(1 << random.nextInt(18))];
      random.nextBytes(content);
      Files.write(file, content);
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(i % 3 == 0 ? "rwxr-x--x" : "rw-r-----"));
      Files.setLastModifiedTime(file, FileTime.from(Duration.ofDays(10_000).plusSeconds(i).toMillis(),
          TimeUnit.MILLISECONDS));
    }
    byte[] large = new byte[700_001];
    random.nextBytes(large);
    Files.write(in.resolve("large"), large);
    Files.write(in.resolve("nothing"), new byte[0]);
    Files.writeString(in.resolve("grün, \\ und 'so'"), "a name");
    Files.writeString(in.resolve("n".repeat(255)), "a long name");
    Files.createDirectories(in.resolve("empty"));
    Files.setPosixFilePermissions(in.resolve("empty"), PosixFilePermissions.fromString("rwx------"));
    Files.createSymbolicLink(in.resolve("inside"), Path.of("d0/e0/f 0"));
    Files.createSymbolicLink(in.resolve("dangling"), Path.of("no/such file"));
    Files.createSymbolicLink(in.resolve("up"), Path.of("../../secret"));
    Files.createSymbolicLink(in.resolve("d1/absolute"), Path.of("/etc/passwd"));
  }

  private static boolean takesAttributes(Path folder) {
    try {
      var view = Files.getFileAttributeView(folder, UserDefinedFileAttributeView.class);
      view.write("t", ByteBuffer.allocate(1));
      view.delete("t");
      return true;
    } catch (IOException | UnsupportedOperationException e) {
      System.err.println("mapped-xattr is NOT tried: " + folder + " takes no attributes");
      return false;
    }
  }

  /**
   * What the guest's script lists, in the order of the names' bytes.
   *
   * @param asMapped only names and contents, with links as the files that the mapped models make of them
   */
  private static List<String> list(Path root, boolean asMapped) throws IOException {
    List<Path> all = new ArrayList<>();
    try (Stream<Path> files = Files.walk(root)) {
      files.filter(file -> !file.toString().contains(HIDDEN)).forEach(all::add);
    }
    all.sort((a, b) -> Arrays.compareUnsigned(bytes(name(root, a)), bytes(name(root, b))));
    List<Path> files = all.stream().filter(f -> Files.isRegularFile(f, LinkOption.NOFOLLOW_LINKS)).toList();
    List<Path> links = all.stream().filter(Files::isSymbolicLink).toList();
    List<Path> folders = all.stream().filter(f -> Files.isDirectory(f, LinkOption.NOFOLLOW_LINKS)).toList();
    List<String> lines = new ArrayList<>();
    for (Path file : files) {
      lines.add(sum(Files.readAllBytes(file)) + "  " + name(root, file));
    }
    if (asMapped) {
      for (Path link : links) {
        lines.add(sum(bytes(Files.readSymbolicLink(link).toString())) + "  " + name(root, link));
      }
      folders.forEach(folder -> lines.add(name(root, folder)));
      return List.copyOf(new TreeSet<>(lines));
    }
    for (Path file : files) {
      long time = Files.getLastModifiedTime(file).to(TimeUnit.SECONDS);
      lines.add(mode(file) + " " + time + " " + name(root, file));
    }
    folders.forEach(folder -> lines.add(mode(folder) + " " + name(root, folder)));
    for (Path link : links) {
      lines.add(name(root, link) + " -> " + Files.readSymbolicLink(link));
    }
    return lines;
  }

  private static String name(Path root, Path file) {
    return file.equals(root) ? "." : "./" + root.relativize(file);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static String mode(Path file) {
    try {
      return Integer.toOctalString((Integer) Files.getAttribute(file, "unix:mode", LinkOption.NOFOLLOW_LINKS) & 07777);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String sum(byte[] content) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private ConsoleProcess boot(Path guest, List<String> models) throws IOException {
    var arguments = new ArrayList<String>();
    arguments.addAll(List.of("-M", "virt", "-m", "512M", "-nographic", "-no-reboot"));
    arguments.addAll(List.of("-bios", guest.resolve("fw/fw_dynamic.bin").toString()));
    arguments.addAll(List.of("-kernel", guest.resolve("Image").toString()));
    arguments.addAll(List.of("-initrd", guest.resolve("initramfs.cpio.gz").toString()));
    arguments.addAll(List.of("-append", "console=ttyS0 quiet guest.9p=none guest.run=\"sh /9p/script\""));
    for (String model : models) {
      arguments.add("-virtfs");
      arguments.add("local,path=" + top.resolve(model) + ",mount_tag=" + model + ",security_model=" + model);
    }
    return Host.startAscus(arguments);
  }
}
