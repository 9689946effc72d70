package org.ascus.devices.fs.p9;

import static org.ascus.devices.fs.p9.P9Client.u16;
import static org.ascus.devices.fs.p9.P9Client.u64;
import static org.ascus.devices.fs.p9.P9Client.u8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.ascus.devices.fs.FileException;
import org.ascus.devices.fs.FileStatus;
import org.ascus.devices.fs.FolderOptions;
import org.ascus.devices.fs.FolderOptions.Devices;
import org.ascus.devices.fs.FolderOptions.Model;
import org.ascus.devices.fs.SharedFolder;
import org.ascus.devices.host.Errno;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;
import org.ascus.machine.state.Stateful;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class P9ServerTest {
  private static final int RDWR = 2;
  private static final int EXCL = 0200;
  private static final int NONE = -1;

  @TempDir Path top;

  private final List<AutoCloseable> open = new ArrayList<>();
  private Path shared;
  private P9Server server;
  private P9Client client;

  @BeforeEach
  void makeFolders() throws IOException {
    assumeTrue(System.getProperty("os.name").equals("Linux"), "shared folders need Linux");
    shared = Files.createDirectories(top.resolve("shared"));
    Files.writeString(top.resolve("secret"), "not for the guest");
    Files.createDirectories(top.resolve("outside"));
  }

  @AfterEach
  void closeAll() throws Exception {
    for (AutoCloseable one : open) {
      one.close();
    }
  }

  private void share(Model model, boolean readOnly) throws Exception {
    if (model == Model.MAPPED_XATTR) {
      assumeTrue(takesAttributes(), "the folder of temporary files takes no attributes");
    }
    var options = new FolderOptions(shared, model, readOnly, 0600, 0700, Devices.WARN);
    SharedFolder folder = SharedFolder.open(options);
    server = new P9Server(folder, text -> {});
    open.addFirst(folder);
    open.addFirst(server);
    client = new P9Client(server);
    client.attach();
  }

  private boolean takesAttributes() {
    try {
      Files.getFileAttributeView(shared, UserDefinedFileAttributeView.class).write("t", ByteBuffer.allocate(1));
      Files.getFileAttributeView(shared, UserDefinedFileAttributeView.class).delete("t");
      return true;
    } catch (IOException | UnsupportedOperationException e) {
      return false;
    }
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  @ParameterizedTest
  @EnumSource(value = Model.class, names = "PASSTHROUGH", mode = EnumSource.Mode.EXCLUDE)
  void filesFoldersAndLinksAreMadeReadMovedAndRemoved(Model model) throws Exception {
    share(model, false);
    client.create(1, "a", RDWR | EXCL, 0640);
    assertThat(client.write(1, 0, bytes("hello world"))).isEqualTo(11);
    assertThat(client.write(1, 6, bytes("there"))).isEqualTo(5);
    assertThat(client.read(1, 6, 100)).isEqualTo(bytes("there"));
    assertThat(client.read(1, 11, 100)).isEmpty();
    client.call(MessageType.FSYNC, 1, 0);
    assertThat(Files.readString(shared.resolve("a"))).isEqualTo("hello there");
    P9Client.Status status = client.status(1);
    assertThat(status.mode()).isEqualTo(0100640);
    assertThat(status.size()).isEqualTo(11);
    if (model.isMapped()) {
      assertThat(status.uid()).isEqualTo(1000);
      assertThat(status.gid()).isEqualTo(1001);
    }
    assertThat(client.error(MessageType.LCREATE, 0, "a", EXCL, 0, 0)).isEqualTo(Errno.EEXIST);

    client.call(MessageType.MKDIR, 0, "d", 0755, 5);
    client.call(MessageType.SYMLINK, 0, "l", "/etc/passwd", 5);
    assertThat(client.walk(2, "l")).isTrue();
    assertThat(client.status(2).mode()).isEqualTo(0120777);
    ByteBuffer target = client.call(MessageType.READLINK, 2);
    assertThat(new String(target.array(), 9, target.getShort(), StandardCharsets.US_ASCII)).isEqualTo("/etc/passwd");
    assertThat(client.walk(3, "d")).isTrue();
    client.call(MessageType.LINK, 3, 1, "b");
    assertThat(client.status(1).links()).isEqualTo(2);
    client.call(MessageType.MKNOD, 3, "p", 0010600, 0, 0, 7);
    assertThat(client.walk(4, "d", "p")).isTrue();
    assertThat(client.status(4).mode()).isEqualTo(0010600);

    client.call(MessageType.RENAMEAT, 0, "d", 0, "e");
    assertThat(client.status(4).mode()).isEqualTo(0010600);
    client.call(MessageType.RENAME, 1, 3, "c");
    assertThat(Files.readString(shared.resolve("e/c"))).isEqualTo("hello there");
    assertThat(client.walk(5)).isTrue();
    client.call(MessageType.LOPEN, 5, 0200000);
    assertThat(client.list(5, 400)).containsExactlyInAnyOrder(".", "..", "e", "l");

    assertThat(client.error(MessageType.UNLINKAT, 0, "e", 0x200)).isEqualTo(Errno.ENOTEMPTY);
    for (String name : List.of("b", "c", "p")) {
      client.call(MessageType.UNLINKAT, 3, name, 0);
    }
    client.call(MessageType.UNLINKAT, 0, "e", 0x200);
    assertThat(client.write(1, 11, bytes("!"))).isEqualTo(1);
    assertThat(client.status(1).size()).isEqualTo(12);
    client.call(MessageType.REMOVE, 2);
    assertThat(client.error(MessageType.CLUNK, 2)).isEqualTo(Errno.EBADF);
    client.clunk(1);
  }

  @ParameterizedTest
  @EnumSource(value = Model.class, names = {"MAPPED_XATTR", "MAPPED_FILE"})
  void ownersModesAndDevicesOfTheGuestAreKeptBesideTheFiles(Model model) throws Exception {
    share(model, false);
    client.call(MessageType.MKNOD, 0, "disk", 0060660, 259, 70000, 6);
    client.create(1, "f", RDWR, 0600);
    client.call(MessageType.SETATTR, 1, 7, 04755, 70, 71, u64(0), u64(0), u64(0), u64(0), u64(0));
    client.call(MessageType.SETATTR, 1, 8, 0, 0, 0, u64(12345), u64(0), u64(0), u64(0), u64(0));
    client.call(MessageType.SETATTR, 1, 0x120, 0, 0, 0, u64(0), u64(0), u64(0), u64(999), u64(5));
    client.call(MessageType.RENAMEAT, 0, "f", 0, "g");
    share(model, false);
    assertThat(client.walk(1, "g")).isTrue();
    P9Client.Status status = client.status(1);
    assertThat(status.mode()).isEqualTo(0104755);
    assertThat(status.uid()).isEqualTo(70);
    assertThat(status.gid()).isEqualTo(71);
    assertThat(status.size()).isEqualTo(12345);
    assertThat(status.modified()).isEqualTo(999);
    assertThat(client.walk(2, "disk")).isTrue();
    assertThat(client.status(2).mode()).isEqualTo(0060660);
    assertThat(client.status(2).rdev()).isEqualTo(70000 & 0xff | 259 << 8 | (70000L & ~0xff) << 12);
    assertThat(Files.isRegularFile(shared.resolve("disk"), LinkOption.NOFOLLOW_LINKS)).isTrue();
    if (model == Model.MAPPED_FILE) {
      assertThat(Files.readString(shared.resolve(".virtfs_metadata/g")))
          .isEqualTo("virtfs.uid=70\nvirtfs.gid=71\nvirtfs.mode=" + 0104755 + "\n");
      assertThat(client.walk(3, ".virtfs_metadata")).isFalse();
      assertThat(client.error(MessageType.MKDIR, 0, ".virtfs_metadata", 0, 0)).isEqualTo(Errno.ENOENT);
    }
  }

  @Test
  void extendedAttributesOfTheUserAreTheGuestsAndTheModelsOwnAreNot() throws Exception {
    share(Model.MAPPED_XATTR, false);
    client.create(1, "f", RDWR, 0600);
    assertThat(client.walk(2, "f")).isTrue();
    client.call(MessageType.XATTRCREATE, 2, "user.colour", u64(4), 0);
    assertThat(client.write(2, 0, bytes("bl"))).isEqualTo(2);
    assertThat(client.error(MessageType.WRITE, 2, u64(1), 1, bytes("x"))).isEqualTo(Errno.EINVAL);
    assertThat(client.write(2, 2, bytes("ue"))).isEqualTo(2);
    client.clunk(2);
    assertThat(client.call(MessageType.XATTRWALK, 1, 3, "user.colour").getLong()).isEqualTo(4);
    assertThat(client.read(3, 0, 100)).isEqualTo(bytes("blue"));
    assertThat(client.call(MessageType.XATTRWALK, 1, 4, "").getLong()).isEqualTo(12);
    assertThat(client.read(4, 0, 100)).isEqualTo(bytes("user.colour\0"));
    assertThat(client.error(MessageType.XATTRWALK, 1, 5, "user.virtfs.uid")).isEqualTo(Errno.EOPNOTSUPP);
    assertThat(client.error(MessageType.XATTRWALK, 1, 5, "trusted.x")).isEqualTo(Errno.EOPNOTSUPP);
    assertThat(client.error(MessageType.XATTRWALK, 1, 5, "user.none")).isEqualTo(Errno.ENODATA);
    assertThat(client.walk(2, "f")).isTrue();
    client.call(MessageType.XATTRCREATE, 2, "user.colour", u64(0), 0);
    client.clunk(2);
    assertThat(client.call(MessageType.XATTRWALK, 1, 6, "").getLong()).isZero();
    assertThat(client.walk(2, "f")).isTrue();
    assertThat(client.error(MessageType.XATTRCREATE, 2, "user.big", u64(1L << 40), 0)).isEqualTo(Errno.E2BIG);
  }

  @ParameterizedTest
  @EnumSource(Model.class)
  void nothingLeadsOutOfTheFolder(Model model) throws Exception {
    Files.createSymbolicLink(shared.resolve("up"), Path.of(".."));
    Files.createSymbolicLink(shared.resolve("file"), top.resolve("secret"));
    Files.createSymbolicLink(shared.resolve("dir"), top.resolve("outside"));
    share(model, false);
    assertThat(client.walk(1, "..", "..", "secret")).isFalse();
    assertThat(client.walk(2, "..", "..", "..")).isTrue();
    assertThat(client.status(2).path()).isEqualTo(client.status(0).path());
    assertThat(client.walk(3, "up", "secret")).isFalse();
    assertThat(client.walk(3, "dir", "x")).isFalse();
    for (String name : List.of("../secret", "/etc", "a/b", "", ".", "up/../../secret", "a\0b")) {
      assertThat(client.walk(4, name)).as(name).isFalse();
      assertThat(client.error(MessageType.LCREATE, 2, name, RDWR, 0600, 0)).as(name).isNotZero();
      assertThat(client.error(MessageType.MKDIR, 0, name, 0700, 0)).as(name).isNotZero();
      assertThat(client.error(MessageType.SYMLINK, 0, name, "x", 0)).as(name).isNotZero();
      assertThat(client.error(MessageType.RENAMEAT, 0, "file", 0, name)).as(name).isNotZero();
    }
    for (String name : List.of("..", ".", "../secret")) {
      assertThat(client.error(MessageType.UNLINKAT, 0, name, 0)).isNotZero();
      assertThat(client.error(MessageType.UNLINKAT, 0, name, 0x200)).isNotZero();
      assertThat(client.error(MessageType.RENAMEAT, 0, name, 0, "z")).isNotZero();
    }
    assertThat(client.walk(5, "file")).isTrue();
    assertThat(client.error(MessageType.LOPEN, 5, 0)).isNotZero();
    assertThat(client.error(MessageType.LCREATE, 0, "file", RDWR, 0600, 0)).isNotZero();
    client.error(MessageType.SETATTR, 5, 8, 0, 0, 0, u64(0), u64(0), u64(0), u64(0), u64(0));
    client.error(MessageType.SETATTR, 5, 1, 0, 0, 0, u64(0), u64(0), u64(0), u64(0), u64(0));
    assertThat(Files.readString(top.resolve("secret"))).isEqualTo("not for the guest");
    assertThat(Files.isReadable(top.resolve("secret"))).isTrue();
    assertThat(client.walk(6, "dir")).isTrue();
    assertThat(client.error(MessageType.MKDIR, 6, "x", 0700, 0)).isNotZero();
    assertThat(client.error(MessageType.LCREATE, 6, "x", RDWR, 0600, 0)).isNotZero();
    assertThat(client.error(MessageType.REMOVE, 2)).isNotZero();
    try (var files = Files.list(top.resolve("outside"))) {
      assertThat(files).isEmpty();
    }
    assertThat(top).isDirectoryContaining(p -> p.endsWith("secret"));
  }

  @ParameterizedTest
  @EnumSource(Model.class)
  void aLinkOfTheHostIsOneForTheGuest(Model model) throws Exception {
    Files.createSymbolicLink(shared.resolve("l"), Path.of("../secret"));
    share(model, false);
    assertThat(client.walk(1, "l")).isTrue();
    assertThat(client.status(1).mode()).isEqualTo(0120777);
    ByteBuffer target = client.call(MessageType.READLINK, 1);
    assertThat(new String(target.array(), 9, target.getShort(), StandardCharsets.US_ASCII)).isEqualTo("../secret");
    assertThat(client.error(MessageType.LOPEN, 1, 0)).isNotZero();
  }

  @Test
  void aFolderThatTurnsIntoALinkIsNotFollowed() throws Exception {
    share(Model.NONE, false);
    Files.createDirectories(shared.resolve("d/e"));
    assertThat(client.walk(1, "d", "e")).isTrue();
    Files.delete(shared.resolve("d/e"));
    Files.delete(shared.resolve("d"));
    Files.createSymbolicLink(shared.resolve("d"), top);
    Files.createDirectories(top.resolve("e"));
    assertThat(client.error(MessageType.GETATTR, 1, u64(0))).isNotZero();
    assertThat(client.error(MessageType.MKDIR, 1, "x", 0700, 0)).isNotZero();
    assertThat(Files.exists(top.resolve("e/x"))).isFalse();
  }

  @Test
  void pipesAndDevicesOfTheHostAreNotOpened() throws Exception {
    share(Model.NONE, false);
    client.call(MessageType.MKNOD, 0, "p", 0010666, 0, 0, 0);
    assertThat(client.walk(1, "p")).isTrue();
    assertThat(client.error(MessageType.LOPEN, 1, 0)).isEqualTo(Errno.ENXIO);
  }

  @Test
  void aReadOnlyShareIsNotWritten() throws Exception {
    Files.writeString(shared.resolve("f"), "x");
    share(Model.NONE, true);
    assertThat(client.walk(1, "f")).isTrue();
    assertThat(client.error(MessageType.LOPEN, 1, RDWR)).isEqualTo(Errno.EROFS);
    assertThat(client.error(MessageType.LOPEN, 1, 01000)).isEqualTo(Errno.EROFS);
    for (int valid : new int[] {1, 2, 8, 0x10, 0x40}) {
      assertThat(client.error(MessageType.SETATTR, 1, valid, 0, 0, 0, u64(0), u64(0), u64(0), u64(0), u64(0)))
          .isEqualTo(Errno.EROFS);
    }
    assertThat(client.error(MessageType.MKDIR, 0, "d", 0700, 0)).isEqualTo(Errno.EROFS);
    assertThat(client.error(MessageType.UNLINKAT, 0, "f", 0)).isEqualTo(Errno.EROFS);
    assertThat(client.error(MessageType.RENAMEAT, 0, "f", 0, "g")).isEqualTo(Errno.EROFS);
    assertThat(client.error(MessageType.LINK, 0, 1, "g")).isEqualTo(Errno.EROFS);
    client.call(MessageType.LOPEN, 1, 0);
    assertThat(client.read(1, 0, 9)).isEqualTo(bytes("x"));
    assertThat(client.error(MessageType.REMOVE, 1)).isEqualTo(Errno.EROFS);
  }

  @Test
  void aLargeFolderIsReadInPiecesFromAnyPlace() throws Exception {
    for (int i = 0; i < 500; i++) {
      Files.createFile(shared.resolve("a-file-with-a-longer-name-" + i));
    }
    share(Model.NONE, false);
    assertThat(client.walk(1)).isTrue();
    client.call(MessageType.LOPEN, 1, 0);
    List<String> once = client.list(1, 1000);
    assertThat(once).hasSize(502).doesNotHaveDuplicates();
    assertThat(client.list(1, 60000)).isEqualTo(once);
    assertThat(client.error(MessageType.READDIR, 1, u64(0), 3)).isEqualTo(Errno.EINVAL);
  }

  @Test
  void versionsAndSizesAreNegotiated() throws Exception {
    share(Model.NONE, false);
    assertThat(client.call(MessageType.VERSION, 1 << 30, "9P2000.L").getInt()).isEqualTo(P9Server.MOST_MESSAGE);
    assertThat(client.error(MessageType.GETATTR, 0, u64(0))).isEqualTo(Errno.EBADF);
    assertThat(client.error(MessageType.VERSION, 100, "9P2000.L")).isEqualTo(Errno.EINVAL);
    ByteBuffer in = client.call(MessageType.VERSION, 8192, "9P2000.u");
    assertThat(in.getInt()).isEqualTo(8192);
    assertThat(new String(in.array(), 13, 7, StandardCharsets.US_ASCII)).isEqualTo("unknown");
    assertThat(client.error(MessageType.ATTACH, 0, -1, "", "", 0)).isEqualTo(Errno.EPROTO);
    client.attach();
    assertThat(client.error(MessageType.AUTH, 9, "", "", 0)).isEqualTo(Errno.EOPNOTSUPP);
    assertThat(client.error(MessageType.FLUSH, u16(1))).isZero();
    assertThat(client.call(MessageType.LOCK, 0, u8(1), 0, u64(0), u64(0), 7, "c").get()).isZero();
    assertThat(client.call(MessageType.GETLOCK, 0, u8(1), u64(0), u64(0), 7, "c").get()).isEqualTo((byte) 2);
    assertThat(client.call(MessageType.STATFS, 0).getInt()).isNotZero();
  }

  @Test
  void whatWasOpenIsOpenAgainAfterALoad() throws Exception {
    Files.createDirectories(shared.resolve("d"));
    Files.writeString(shared.resolve("d/f"), "content");
    share(Model.NONE, false);
    assertThat(client.walk(1, "d", "f")).isTrue();
    client.call(MessageType.LOPEN, 1, RDWR | 01000);
    client.write(1, 0, bytes("written"));
    client.create(2, "gone", RDWR, 0600);
    client.call(MessageType.UNLINKAT, 0, "gone", 0);
    byte[] saved = save();
    share(Model.NONE, false);
    load(saved);
    assertThat(save()).isEqualTo(saved);
    assertThat(client.read(1, 0, 100)).isEqualTo(bytes("written"));
    assertThat(client.error(MessageType.READ, 2, u64(0), 1)).isEqualTo(Errno.EBADF);
    Random random = new Random(5);
    for (int i = 0; i < 300; i++) {
      byte[] bad = saved.clone();
      bad[random.nextInt(bad.length)] ^= (byte) (1 << random.nextInt(8));
      try {
        load(bad);
      } catch (StateException e) {
        assertThat(e.getMessage()).isNotBlank();
      }
      client.error(MessageType.GETATTR, 1, u64(0));
    }
  }

  private final class Section implements Stateful {
    @Override
    public String stateId() {
      return "server";
    }

    @Override
    public void save(StateWriter out) {
      server.save(out);
    }

    @Override
    public void load(StateReader in, int version) throws StateException {
      server.load(in);
    }
  }

  private byte[] save() {
    StateWriter out = new StateWriter();
    out.section(new Section());
    return out.toByteArray();
  }

  private void load(byte[] state) throws StateException {
    new StateReader(state).section(new Section());
  }

  @ParameterizedTest
  @EnumSource(Model.class)
  void junkIsAnsweredAndLeavesNoTraceOutside(Model model) throws Exception {
    share(model, false);
    Random random = new Random(99);
    int[] types = {8, 12, 14, 16, 18, 20, 22, 24, 26, 30, 32, 40, 50, 52, 54, 70, 72, 74, 76, 104, 108, 110, 116, 118,
      120, 122, 6, 1, 255};
    String[] names = {"a", "b", "..", ".", "", "a/b", "\0", "x".repeat(300), ".virtfs_metadata", "user.a", "/"};
    for (int i = 0; i < 20_000; i++) {
      if (i % 500 == 0) {
        client.attach();
      }
      int count = random.nextInt(9);
      Object[] fields = new Object[count];
      for (int j = 0; j < count; j++) {
        fields[j] =
            switch (random.nextInt(6)) {
              case 0, 1 -> random.nextInt(4);
              case 2 -> names[random.nextInt(names.length)];
              case 3 -> u64(random.nextInt(3) == 0 ? random.nextLong() : random.nextInt(100));
              case 4 -> u16(random.nextInt(4));
              default -> random.nextInt(5) == 0 ? random.nextInt() : random.nextInt(0x400);
            };
      }
      byte[] message = P9Client.message(types[random.nextInt(types.length)], fields);
      if (random.nextInt(10) == 0) {
        message[random.nextInt(4)] ^= (byte) random.nextInt(256);
      }
      client.answer(message, random.nextInt(8) == 0 ? P9Server.LEAST_ANSWER + random.nextInt(30) : P9Client.SIZE);
    }
    assertThat(Files.readString(top.resolve("secret"))).isEqualTo("not for the guest");
    try (var files = Files.list(top)) {
      assertThat(files).hasSize(3);
    }
    client.attach();
    assertThat(client.status(0).qidType()).isEqualTo(0x80);
  }

  @Test
  void aHostileDriverCannotFillTheHost() throws Exception {
    share(Model.NONE, false);
    for (int i = 1; i < 1000; i++) {
      assertThat(client.walk(i)).isTrue();
    }
    int attributes = 0;
    Files.createFile(shared.resolve("f"));
    assertThat(client.walk(5000, "f")).isTrue();
    while (client.error(MessageType.XATTRWALK, 5000, 5001 + attributes, "") == 0) {
      attributes++;
    }
    assertThat(attributes).isLessThan(1000);
  }

  @Test
  void whatIsNoFolderIsNotShared() {
    assertThatThrownBy(() -> SharedFolder.open(options(top.resolve("none"))))
        .isInstanceOf(IOException.class)
        .hasMessage("No such file or directory");
    assertThatThrownBy(() -> SharedFolder.open(options(top.resolve("secret")))).hasMessage("Not a directory");
  }

  private static FolderOptions options(Path path) {
    return new FolderOptions(path, Model.NONE, false, 0600, 0700, Devices.WARN);
  }

  @Test
  void aNumberTellsFilesOfSeveralDevicesApart() throws FileException {
    for (Devices policy : Devices.values()) {
      List<String> told = new ArrayList<>();
      QidPaths paths = new QidPaths(policy, 1, told::add);
      assertThat(paths.path(file(1, 42))).isEqualTo(42);
      if (policy == Devices.FORBID) {
        assertThatThrownBy(() -> paths.path(file(2, 42))).isInstanceOf(FileException.class);
      } else {
        assertThat(paths.path(file(2, 42)) == 42).isEqualTo(policy == Devices.WARN);
        assertThat(paths.path(file(2, 42))).isEqualTo(paths.path(file(2, 42)));
        assertThat(paths.path(file(1, 1L << 60)) == 0).isFalse();
      }
      assertThat(told).hasSize(policy == Devices.REMAP ? 0 : 1);
    }
  }

  private static FileStatus file(long device, long inode) {
    var time = new FileStatus.Time(0, 0);
    return new FileStatus(
        device, inode, 0100600, 1, NONE, NONE, 0, 0, 4096, 0, time, time, time);
  }
}
