package org.ascus.launcher.img;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.format.ImageOptions;
import org.ascus.devices.block.format.qcow2.Qcow2Node;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ImgMainTest extends ImageTools {
  private byte[] content;

  @BeforeEach
  void aRawImage() throws IOException {
    content = new byte[3 << 20];
    byte[] data = new byte[1_000_000];
    new Random(1).nextBytes(data);
    System.arraycopy(data, 0, content, 100_000, data.length);
    Files.write(path("r.raw"), content);
  }

  @Test
  void outputsAndExitCodesAreQemuImgs() throws Exception {
    needQemuImg();
    good("convert -O qcow2 @r.raw @a.qcow2");
    good("convert -c -O qcow2 -o compression_type=zstd @r.raw @c.qcow2");
    good("create -q -f qcow2 -b a.qcow2 -F qcow2 @o.qcow2");
    for (String line : List.of(
        "info @a.qcow2", "info @r.raw", "info --output=json @r.raw", "info --output=json @c.qcow2", "info @o.qcow2",
        "info --backing-chain @o.qcow2", "check @a.qcow2", "check @c.qcow2", "map @a.qcow2", "map @o.qcow2",
        "map --output=json @a.qcow2", "map --output=json @o.qcow2", "compare @r.raw @a.qcow2",
        "compare @r.raw @c.qcow2", "compare @a.qcow2 @o.qcow2", "measure -O qcow2 --size 1G",
        "measure -O qcow2 --size 3T --output=json", "measure --size 1G", "create -f qcow2 @new.qcow2",
        "create -f qcow2 -o compat=v2,cluster_size=4k @new.qcow2 5M", "create @new.raw 1M",
        "create -f qcow2 -b a.qcow2 -F qcow2 -o extended_l2=on @n2.qcow2", "check @r.raw", "compare @r.raw @new.raw")) {
      Result ours = img(line);
      assertThat(ours).as(line).isEqualTo(qemu(line));
    }
  }

  @Test
  void whatIsToldOfFilesWithHolesIsWhatQemuImgTells() throws Exception {
    needQemuImg();
    List<String> images = new ArrayList<>();
    for (String image : List.of("qcow2", "qcow2 preallocation=metadata", "qcow2 extended_l2=on", "qcow2 compat=v2",
        "vmdk subformat=monolithicFlat", "vmdk subformat=twoGbMaxExtentFlat", "vdi static=on", "vpc subformat=fixed",
        "qed", "qed cluster_size=4k", "qcow2 data_file=@x.data", "qcow2 data_file=@y.data,data_file_raw=on",
        "qcow2 data_file=@z.data,extended_l2=on,cluster_size=2M")) {
      String[] parts = image.split(" ");
      String name = "@" + images.size() + "." + parts[0];
      String options = parts.length > 1 ? " -o " + parts[1] : "";
      assertThat(qemu("convert -f raw -O " + parts[0] + options + " @r.raw " + name).code()).isZero();
      images.add("-f " + parts[0] + " " + name);
    }
    for (String image : images) {
      for (String command : List.of("map ", "map --output=json ", "check ", "check --output=json ",
          "measure -O qcow2 ", "measure --output=json -O qcow2 -o cluster_size=4k ", "info --output=json ")) {
        assertThat(img(command + image)).as(command + image).isEqualTo(qemu(command + image));
      }
    }
  }

  @Test
  void describedImagesHaveTheNamesThatQemuImgGivesThem() throws Exception {
    needQemuImg();
    good("convert -O qcow2 @r.raw @a.qcow2");
    for (String quoted : List.of(
        "json:{'driver':'qcow2',FILE}", "json:{'driver':'raw','offset':512,'size':1024,FILE}",
        "json:{'driver':'raw',FILE}", "json:{FILE}", "json:{'driver':'null-co','size':65536}",
        "json:{'driver':'qcow2','file':{'driver':'blkdebug','image':{'driver':'file','filename':'@a.qcow2'}}}",
        "json:{'driver':'compress','file':{'driver':'qcow2',FILE}}", "null-co://",
        "--image-opts driver=raw,offset=1M,size=64k,file.filename=@r.raw", "--image-opts driver=null-co,size=1M",
        "--image-opts driver=null-co,size=1M,read-zeroes=on", "--image-opts driver=qcow2,file.filename=@a.qcow2",
        "--image-opts driver=raw,file.filename=@r.raw,file.locking=off")) {
      String image = quoted.replace("FILE", "'file':{'driver':'file','filename':'@a.qcow2'}").replace('\'', '"');
      String ours = img("info " + image).out().lines().findFirst().orElse("");
      assertThat(ours).isEqualTo(qemu("info " + image).out().lines().findFirst().orElse("none"));
    }
  }

  @Test
  void aSnapshotIsCopiedMeasuredAndMadeTheDiskAgainWithItsSize() throws Exception {
    needQemuImg();
    good("convert -O qcow2 @r.raw @s.qcow2");
    assertThat(qemu("snapshot -c one @s.qcow2").code()).isZero();
    good("resize -q --shrink @s.qcow2 1M");
    good("snapshot -c two @s.qcow2");
    for (String snapshot : List.of("one", "1", "snapshot.name=one", "snapshot.id=1,snapshot.name=one")) {
      good("convert -l " + snapshot + " -O raw @s.qcow2 @one.raw");
      assertThat(Files.readAllBytes(path("one.raw"))).as(snapshot).isEqualTo(content);
    }
    for (String line : List.of("measure -l two -O qcow2 @s.qcow2", "snapshot -l @s.qcow2",
        "info --output=json @s.qcow2")) {
      assertThat(img(line)).as(line).isEqualTo(qemu(line));
    }
    for (String wrong : List.of("three", "snapshot.id=2,snapshot.name=one", "snapshot.id=7")) {
      assertThat(img("convert -l " + wrong + " -O raw @s.qcow2 @x.raw").errors()).contains("Can't find snapshot");
    }
    good("snapshot -a one @s.qcow2");
    assertThat(qemu("check @s.qcow2").out()).contains("No errors were found");
    assertThat(qemu("compare @r.raw @s.qcow2").code()).isZero();
    good("snapshot -a two @s.qcow2");
    assertThat(qemu("check @s.qcow2").out()).contains("No errors were found");
    good("convert -O raw @s.qcow2 @two.raw");
    assertThat(Files.readAllBytes(path("two.raw"))).isEqualTo(Arrays.copyOf(content, 1 << 20));
  }

  @Test
  void encryptedImagesAreMadeReadAndToldAsQemuImgDoes() throws Exception {
    needQemuImg();
    String s = "--object secret,id=s,data=abc ";
    good("convert " + s + "-O luks -o key-secret=s,iter-time=1 @r.raw @a.luks");
    good("convert " + s + "-O qcow2 -o encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=1,"
        + "encrypt.cipher-mode=cbc,encrypt.ivgen-alg=essiv @r.raw @a.qcow2");
    good("create " + s + "-f luks -o key-secret=s,iter-time=1,cipher-alg=serpent-256,hash-alg=sha1,"
        + "cipher-mode=cbc,ivgen-alg=plain,ivgen-hash-alg=sha256 @b.luks 64k");
    String luks = "--image-opts driver=luks,file.filename=@a.luks,key-secret=s ";
    String qcow2 = "driver=qcow2,file.filename=@a.qcow2,encrypt.key-secret=s ";
    for (String line : List.of(
        "info @a.luks", "info --output=json @a.luks", "info @a.qcow2", "info --output=json @a.qcow2", "info @b.luks",
        "compare " + s + luks + qcow2, "map " + s + "--output=json " + luks, "map " + s + "--output=json --image-opts "
        + qcow2, "map @a.luks", "compare @a.luks @a.qcow2", "check @a.luks", "convert @a.qcow2 @x")) {
      assertThat(img(line)).as(line).isEqualTo(qemu(line));
    }
    assertThat(qemu("check " + s + "--image-opts " + qcow2).out()).contains("No errors were found");
    for (String image : List.of(luks, "--image-opts " + qcow2)) {
      good("convert " + s + image + "-O raw @back.raw");
      assertThat(Files.readAllBytes(path("back.raw"))).isEqualTo(content);
      assertThat(qemu("convert " + s + image + "-O raw @back2.raw").code()).isZero();
      assertThat(Files.readAllBytes(path("back2.raw"))).isEqualTo(content);
    }
  }

  @Test
  void keysOfEncryptedImagesAreAddedAndErased() throws Exception {
    needQemuImg();
    String objects = "--object secret,id=s,data=abc --object secret,id=t,data=other ";
    good("convert " + objects + "-O luks -o key-secret=s,iter-time=1 @r.raw @a.luks");
    good("convert " + objects + "-O qcow2 -o encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=1 @r.raw "
        + "@a.qcow2");
    for (String image : List.of("driver=luks,file.filename=@a.luks,key-secret=",
        "driver=qcow2,file.filename=@a.qcow2,encrypt.key-secret=")) {
      String p = image.contains("qcow2") ? "encrypt." : "";
      String amend = "amend " + objects + "--image-opts -o ";
      good(amend + p + "state=active," + p + "new-secret=t," + p + "iter-time=1 " + image + "s");
      assertThat(qemu("compare " + objects + "--image-opts " + image + "t driver=raw,file.filename=@r.raw").code())
          .isZero();
      good(amend + p + "state=inactive," + p + "old-secret=s " + image + "t");
      assertThat(qemu("compare " + objects + "--image-opts " + image + "s driver=raw,file.filename=@r.raw").errors())
          .contains("Invalid password");
      assertThat(qemu("compare " + objects + "--image-opts " + image + "t driver=raw,file.filename=@r.raw").code())
          .isZero();
      for (String bad : List.of("state=inactive," + p + "old-secret=t", "state=inactive," + p + "keyslot=1",
          "state=inactive," + p + "keyslot=9", "state=active", "state=inactive", "foo=1", "state=active," + p
          + "new-secret=s," + p + "keyslot=1")) {
        assertThat(img(amend + p + bad + " " + image + "t").code()).as(bad).isEqualTo(1);
      }
    }
  }

  @Test
  void optionHelpSaysWhatQemuImgSays() throws Exception {
    needQemuImg();
    for (String line : List.of("create -o help @n.raw", "create -f luks -o help", "amend -f luks -o help @r.raw")) {
      assertThat(good(line)).as(line).isEqualTo(qemu(line));
    }
    for (String line : List.of("create -f qcow2 -o help", "convert -O qcow2 -o ? @r.raw @n.raw",
        "amend -f qcow2 -o help @r.raw")) {
      List<String> ours = good(line).out().lines().filter(l -> !l.matches(".*encrypt.(format|key-secret).*")).toList();
      assertThat(qemu(line).out().lines().toList()).as(line).containsAll(ours);
    }
    assertThat(path("n.raw")).doesNotExist();
  }

  @Test
  void amendedImagesAreWhatQemuImgMakesOfThem() throws Exception {
    needQemuImg();
    good("create -q -f qcow2 -b r.raw -F raw @o.qcow2 4M");
    try (BlockNode node = ImageOptions.named(path("o.qcow2").toString(), "qcow2", false, false, true).open()) {
      node.writeZeroes(65536, 1 << 20, true);
      node.write(2_000_000, ByteBuffer.wrap(content, 100_000, 300_000));
      node.writeZeroes(2_097_152, 65536, false);
    }
    good("convert -O raw @o.qcow2 @before.raw");
    for (String options : List.of("lazy_refcounts=on", "lazy_refcounts=off", "compat=0.10",
        "compat=v3,lazy_refcounts=on",
        "size=6M", "backing_file=r.raw,backing_fmt=raw", "compat=0.10")) {
      Files.copy(path("o.qcow2"), path("q.qcow2"), StandardCopyOption.REPLACE_EXISTING);
      good("amend -o " + options + " @o.qcow2");
      assertThat(qemu("amend -o " + options + " @q.qcow2").code()).isZero();
      String ours = good("info @o.qcow2").out().replaceAll("disk size.*\n", "");
      assertThat(ours).isEqualTo(qemu("info @q.qcow2").out().replaceAll("disk size.*\n", "").replace("q.q", "o.q"));
      assertThat(qemu("check @o.qcow2").code()).as(options).isZero();
      assertThat(qemu("compare @before.raw @o.qcow2").code()).as(options).isZero();
    }
    for (String bad : List.of("lazy_refcounts=on", "compat=2", "cluster_size=512", "foo=1", "backing_file=x",
        "encrypt.state=active", "size=1x")) {
      assertThat(img("amend -o " + bad + " @o.qcow2").code()).as(bad).isEqualTo(1);
    }
    Files.copy(path("o.qcow2"), path("w.qcow2"));
    // qemu-img takes half a minute for what these take.
    for (String width : List.of("1", "64", "2", "16")) {
      good("amend -o compat=v3,lazy_refcounts=on,refcount_bits=" + width + " @w.qcow2");
      assertThat(qemu("check @w.qcow2").out()).as(width).contains("No errors were found");
      assertThat(qemu("info @w.qcow2").out()).contains("refcount bits: " + width);
      assertThat(qemu("compare @before.raw @w.qcow2").code()).as(width).isZero();
    }
    for (String bad : List.of("refcount_bits=32", "refcount_bits=3", "data_file=x", "data_file_raw=on")) {
      assertThat(img("amend -o " + bad + " @o.qcow2")).as(bad).isEqualTo(qemu("amend -o " + bad + " @o.qcow2"));
    }
    good("create -q -f qcow2 -o data_file=" + path("one") + " @d.qcow2 1M");
    Files.copy(path("one"), path("two"));
    good("amend -o data_file=" + path("two") + " @d.qcow2");
    good("map @d.qcow2");
    assertThat(qemu("info @d.qcow2").out()).contains("data file: " + path("two"));
    assertThat(img("amend -f raw -o size=1M @r.raw").errors()).contains("does not support option amendment");
  }

  @Test
  void imagesOfOtherProgramsAreToldAsQemuImgDoes() throws Exception {
    needQemuImg();
    for (String format : List.of("vmdk", "vmdk -o subformat=monolithicFlat", "vmdk -o subformat=streamOptimized",
        "vmdk -o subformat=twoGbMaxExtentSparse", "vdi", "vpc", "vhdx", "qed", "parallels")) {
      assertThat(qemu("convert -O " + format + " @r.raw @a.img").code()).isZero();
      for (String line : List.of("info @a.img", "info --output=json @a.img", "compare @r.raw @a.img", "map @a.img",
          "map --output=json @a.img")) {
        // qemu-img does not look into the tables of vhdx; flat files have holes of the host's.
        boolean coarse = line.startsWith("map") && (format.equals("vhdx") || format.endsWith("Flat"));
        if (!coarse) {
          assertThat(img(line)).as(format + ": " + line).isEqualTo(qemu(line));
        }
      }
      good("convert -O raw @a.img @back.raw");
      assertThat(Arrays.mismatch(Files.readAllBytes(path("back.raw")), content)).isIn(-1, content.length);
    }
    assertThat(qemu("create -f vmdk @b.vmdk 1M").code()).isZero();
    assertThat(qemu("create -f vmdk -b b.vmdk -F vmdk @t.vmdk").code()).isZero();
    assertThat(img("info --backing-chain @t.vmdk")).isEqualTo(qemu("info --backing-chain @t.vmdk"));
    assertThat(qemu("convert -O vdi @r.raw @b.vdi").code()).isZero();
    for (String line : List.of("check @b.vmdk", "check @b.vdi", "check --output=json @b.vdi")) {
      assertThat(img(line)).as(line).isEqualTo(qemu(line));
    }
    try (FileChannel file = FileChannel.open(path("b.vdi"), StandardOpenOption.WRITE)) {
      file.truncate(1 << 20);
    }
    assertThat(img("check @b.vdi").code()).isEqualTo(2);
  }

  @Test
  void bitmapsFollowWritesAndAreKeptByEverything() throws Exception {
    needQemuImg();
    assertThat(qemu("create -f qcow2 @q.qcow2 3M").code()).isZero();
    good("create -q -f qcow2 @a.qcow2 3M");
    for (String words : List.of("--add @%s x", "--add --disable -g 4k @%s y", "--add @%s x", "--remove @%s no", "@%s x",
        "--merge no @%s x", "--clear @%s", "--add -g 3k @%s z", "--add -g 32k @%s z", "--disable --clear @%s z")) {
      Result theirs = qemu("bitmap " + words.formatted("q.qcow2"));
      Result ours = img("bitmap " + words.formatted("a.qcow2"));
      assertThat(ours.code()).as(words + ours).isEqualTo(theirs.code());
    }
    assertThat(good("info @a.qcow2").out().replace("a.qcow2", "q.qcow2").replaceAll("disk size.*", ""))
        .isEqualTo(qemu("info @q.qcow2").out().replaceAll("disk size.*", ""));
    assertThat(img("info --output=json @q.qcow2")).isEqualTo(qemu("info --output=json @q.qcow2"));
    for (String name : List.of("a.qcow2", "q.qcow2")) {
      good("bitmap --enable @" + name + " z");
      good("convert -n --target-is-zero -O qcow2 @r.raw @" + name);
      good("resize @" + name + " 4M");
      good("bitmap --merge z @" + name + " y");
      assertThat(good("check @" + name).out()).contains("No errors");
      assertThat(qemu("check @" + name).out()).contains("No errors");
      good("convert -O qcow2 --bitmaps @" + name + " @copy.qcow2");
      assertThat(qemu("convert -O qcow2 --bitmaps @" + name + " @copy2.qcow2").code()).isZero();
      for (String image : List.of(name, "copy.qcow2", "copy2.qcow2")) {
        // Granules of 64, 4 and 32 KiB that touch the bytes from 100000 to 1100000, and what the resize made.
        assertThat(bits("x", image)).isEqualTo("65536-1114112 3145728-4194304 ");
        assertThat(bits("z", image)).isEqualTo("98304-1114112 3145728-4194304 ");
        assertThat(bits("y", image)).isEqualTo("98304-1114112 3145728-4194304 ");
        assertThat(img("info @" + image)).isEqualTo(qemu("info @" + image));
        assertThat(img("measure -O qcow2 @" + image).out()).isEqualTo(qemu("measure -O qcow2 @" + image).out());
      }
      good("bitmap --remove @" + name + " y");
      assertThat(qemu("check @" + name).out()).contains("No errors");
    }
    assertThat(img("convert -O raw --bitmaps @a.qcow2 @x").code()).isEqualTo(1);
    assertThat(img("bitmap --add @r.raw x").errors()).contains("Operation add on bitmap x failed");
  }

  private String bits(String bitmap, String image) throws Exception {
    StringBuilder ranges = new StringBuilder();
    try (BlockNode node = new ImageOptions(path(image), "qcow2", true, false, true).open()) {
      ((Qcow2Node) node).bitmaps().get(bitmap)
          .forEachRange((offset, length) -> ranges.append(offset + "-" + (offset + length) + " "));
    }
    return ranges.toString();
  }

  @Test
  void convertedImagesHoldTheSameBytes() throws Exception {
    for (String options : List.of("", "-c ", "-o cluster_size=512 ", "-o preallocation=full ", "-S 0 ")) {
      good("convert " + options + "-p -f raw -O qcow2 @r.raw @a.qcow2");
      good("convert -f qcow2 -O raw @a.qcow2 @back.raw");
      assertThat(Files.readAllBytes(path("back.raw"))).isEqualTo(content);
      assertThat(good("check @a.qcow2").out()).contains("No errors");
    }
    assertThat(good("convert -p -O qcow2 @r.raw @a.qcow2").out()).endsWith("    (100.00/100%)\r\n");
    good("dd bs=1k skip=64 count=100 if=@a.qcow2 of=@part.raw");
    assertThat(Files.readAllBytes(path("part.raw"))).isEqualTo(Arrays.copyOfRange(content, 64 << 10, 164 << 10));
  }

  @Test
  void overlaysAreCommittedAndRebased() throws Exception {
    good("convert -O qcow2 @r.raw @base.qcow2");
    good("create -q -f qcow2 -b base.qcow2 -F qcow2 @top.qcow2");
    byte[] other = content.clone();
    Arrays.fill(other, 0, 200_000, (byte) 7);
    Files.write(path("other.raw"), other);
    good("rebase -b other.raw -F raw @top.qcow2");
    assertThat(good("compare @r.raw @top.qcow2").out()).contains("identical");
    assertThat(good("info @top.qcow2").out()).contains("backing file: other.raw");
    good("commit @top.qcow2");
    assertThat(Files.readAllBytes(path("other.raw"))).isEqualTo(content);
    assertThat(img("rebase -b other.raw @top.qcow2").code()).isEqualTo(1);
    good("rebase -u -F raw -b other.raw @top.qcow2");
  }

  @Test
  void aChainIsCommittedIntoAnyOfItsImages() throws Exception {
    byte[] base = new byte[content.length];
    Arrays.fill(base, (byte) 9);
    Files.write(path("base.raw"), base);
    good("create -q -f qcow2 -b base.raw -F raw @one.qcow2");
    good("create -q -f qcow2 -b one.qcow2 -F qcow2 @two.qcow2");
    good("rebase -b @r.raw -F raw @one.qcow2");
    good("resize -q --shrink @one.qcow2 1M");
    good("create -q -f qcow2 -b base.raw -F raw @top.qcow2");
    good("rebase -b two.qcow2 -F qcow2 @top.qcow2");
    String nowhere = img("commit -b @r.qcow2 @top.qcow2").errors();
    assertThat(nowhere).contains("Did not find '").contains("r.qcow2' in the backing chain of '");
    assertThat(img("commit -b @top.qcow2 @top.qcow2").code()).isEqualTo(1);
    assertThat(img("commit -r x @top.qcow2").errors()).contains("Invalid rate limit specified");
    good("commit -r 1G -b @one.qcow2 @top.qcow2");
    assertThat(good("info @one.qcow2").out()).contains("(" + content.length + " bytes)");
    good("convert -O raw @one.qcow2 @out.raw");
    assertThat(Files.readAllBytes(path("out.raw"))).isEqualTo(base);
    good("convert -O raw @top.qcow2 @out.raw");
    assertThat(Files.readAllBytes(path("out.raw"))).isEqualTo(base);
  }

  @Test
  void whatAnImageInBetweenIsTooShortForIsCommittedAsZeroes() throws Exception {
    byte[] base = new byte[4 << 20];
    Arrays.fill(base, (byte) 9);
    Files.write(path("base.raw"), base);
    good("create -q -f qcow2 -u -b base.raw -F raw @short.qcow2 1M");
    good("create -q -f qcow2 -u -b short.qcow2 -F qcow2 @top.qcow2 4M");
    good("commit -b base.raw @top.qcow2");
    Arrays.fill(base, 1 << 20, base.length, (byte) 0);
    assertThat(Files.readAllBytes(path("base.raw"))).isEqualTo(base);
  }

  @Test
  void snapshotsAreMadeAppliedAndDeleted() throws Exception {
    good("convert -O qcow2 @r.raw @a.qcow2");
    good("snapshot -c one @a.qcow2");
    good("resize @a.qcow2 +1M");
    good("resize --shrink @a.qcow2 3M");
    assertThat(good("snapshot -l @a.qcow2").out()).contains("one");
    good("snapshot -a one @a.qcow2");
    assertThat(good("compare @r.raw @a.qcow2").out()).contains("identical");
    good("snapshot -d one @a.qcow2");
    assertThat(good("check @a.qcow2").out()).contains("No errors");
    assertThat(img("snapshot -d one @a.qcow2").errors()).contains("'one'");
  }

  @Test
  void mistakesAreToldInWords() {
    assertThat(img("").code()).isEqualTo(1);
    for (String line : List.of("nosuch", "info", "info @nosuch", "info -z @r.raw", "create -f nosuch @x 1M",
        "create -f qcow2 -o nosuch=1 @x 1M", "create -f qcow2 @x 1Q", "resize @r.raw 1M", "convert @r.raw",
        "snapshot -c x @r.raw", "commit @r.raw", "dd if=@r.raw", "dd nosuch=1", "info --output=xml @r.raw",
        "create -f qcow2 -b r.raw @x 1M", "convert -c -O raw @r.raw @x")) {
      Result result = img(line);
      assertThat(result.code()).as(line).isEqualTo(1);
      assertThat(result.errors()).as(line).startsWith("ascus-img: ").doesNotContain("Exception");
    }
  }

  @Test
  void benchSendsWhatItSays() throws Exception {
    String out = good("bench -f raw -c 100 -d 4 -s 1k -o 512 @r.raw").out();
    assertThat(out).startsWith("Sending 100 read requests, 1024 bytes each, 4 in parallel (starting at offset 512, "
        + "step size 1024)\nRun completed in ").endsWith(" seconds.\n");
    assertThat(good("bench -f raw -q -w --pattern=7 --flush-interval=10 -c 3 -s 512 @r.raw").out()).isEmpty();
    Arrays.fill(content, 0, 3 * 512, (byte) 7);
    assertThat(Files.readAllBytes(path("r.raw"))).isEqualTo(content);
    assertThat(img("bench --pattern=7 @r.raw").errors()).contains("--pattern is only available in write tests");
    assertThat(img("bench -d 1000 -s 1M @r.raw").errors()).contains("256 MiB");
    assertThat(img("bench -s 4M @r.raw").errors()).contains("smaller than a request");
  }

  @Test
  void severalInputsBecomeOneImage() throws Exception {
    byte[] more = Arrays.copyOf(content, 1_100_000);
    Files.write(path("s.raw"), more);
    long padded = Math.ceilDiv(more.length, 512L) * 512;
    for (String options : List.of("", "-c ", "-S 0 ", "-C -m 4 -W -t none -T writeback -r 1G ")) {
      good("convert " + options + "-O qcow2 @r.raw @s.raw @r.raw @a.qcow2");
      good("convert -O raw @a.qcow2 @back.raw");
      byte[] all = Arrays.copyOf(content, (int) (2 * content.length + padded));
      System.arraycopy(more, 0, all, content.length, more.length);
      System.arraycopy(content, 0, all, (int) (content.length + padded), content.length);
      assertThat(Files.readAllBytes(path("back.raw"))).as(options).isEqualTo(all);
    }
  }

  @Test
  void anOverlayIsConvertedWithoutItsBackingFilesBytes() throws Exception {
    needQemuImg();
    Files.write(path("o.raw"), pattern(content.length));
    good("convert -O qcow2 @o.raw @base.qcow2");
    good("create -q -f qcow2 -b base.qcow2 -F qcow2 @top.qcow2");
    try (BlockNode top = new ImageOptions(path("top.qcow2"), "qcow2", false, false, true).open()) {
      top.write(1_000_000, ByteBuffer.wrap(new byte[] {1, 2, 3}));
      top.writeZeroes(2 << 20, 1 << 17, true);
    }
    for (String how : List.of("-B base.qcow2 -F qcow2", "-o backing_file=base.qcow2,backing_fmt=qcow2",
        "-c -B base.qcow2 -F qcow2", "-S 0 -B base.qcow2 -F qcow2")) {
      good("convert -O qcow2 " + how + " @top.qcow2 @new.qcow2");
      assertThat(qemu("compare @top.qcow2 @new.qcow2").code()).as(how).isZero();
      assertThat(qemu("check @new.qcow2").code()).isZero();
      assertThat(Files.size(path("new.qcow2"))).as(how).isLessThan(1 << 19);
    }
    good("create -q -f qcow2 -b base.qcow2 -F qcow2 @n.qcow2");
    good("convert -n -O qcow2 -B base.qcow2 -F qcow2 @top.qcow2 @n.qcow2");
    assertThat(qemu("compare @top.qcow2 @n.qcow2").code()).isZero();
    Files.write(path("n.raw"), pattern(content.length));
    good("convert -O qcow2 @n.raw @n.qcow2");
    good("convert -c -n -O qcow2 @r.raw @n.qcow2");
    assertThat(qemu("compare @r.raw @n.qcow2").code()).isZero();
  }

  private static byte[] pattern(int length) {
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) 0x5a);
    return bytes;
  }

  @Test
  void whatCannotBeReadIsZeroWhenItIsSalvaged() throws Exception {
    Files.writeString(path("rules"), "[inject-error]\nevent = \"read_aio\"\nerrno = \"5\"\nsector = \"1000\"\n");
    String source = "--image-opts driver=raw,file.driver=blkdebug,file.config=@rules,file.image.filename=@r.raw";
    assertThat(img("convert -O raw " + source + " @a.raw").code()).isEqualTo(1);
    Result salvaged = good("convert --salvage -O raw " + source + " @a.raw");
    assertThat(salvaged.errors()).contains("ascus-img: warning: error while reading offset 512000: ");
    byte[] expected = content.clone();
    Arrays.fill(expected, 512_000, 512_512, (byte) 0);
    assertThat(Files.readAllBytes(path("a.raw"))).isEqualTo(expected);
    assertThat(good("convert -q --salvage -O raw " + source + " @a.raw").errors()).isEmpty();
  }

  @Test
  void whatDoesNotGoTogetherIsSaidAsQemuImgSaysIt() throws Exception {
    needQemuImg();
    good("create -q -f qcow2 @a.qcow2 4M");
    good("create -q @z.raw 4M");
    for (String line : List.of("convert -m 0 @r.raw @x", "convert -m 17 @r.raw @x", "convert -C -S 4k @r.raw @x",
        "convert --salvage -C @r.raw @x", "convert -O qcow2 -B r.raw @r.raw @x", "convert -T foo @r.raw @x",
        "convert -O qcow2 -B r.raw -F raw @r.raw @r.raw @x", "convert -n -O qcow2 -o cluster_size=4k @r.raw @a.qcow2",
        "convert -l foo @r.raw @r.raw @x", "convert --target-is-zero @r.raw @x", "convert -t foo @r.raw @x",
        "convert -n -c -O raw @r.raw @z.raw", "convert --skip-broken-bitmaps @r.raw @x", "convert -S 100 @r.raw @x",
        "convert -B r.raw -F raw @r.raw @x", "convert -O qcow2 --bitmaps @a.qcow2 @a.qcow2 @x",
        "resize --shrink --preallocation=full @a.qcow2 1M", "resize --preallocation=foo @a.qcow2 8M",
        "resize -f raw --preallocation=metadata @r.raw 8M")) {
      Result result = img(line);
      assertThat(result.code()).as(line).isEqualTo(1);
      assertThat(result.errors()).as(line).isEqualTo(qemu(line).errors());
    }
  }

  @Test
  void whatResizeAddsIsPreallocated() throws Exception {
    needQemuImg();
    for (String options : List.of("", "-o extended_l2=on ", "-o cluster_size=4k,compat=0.10 ")) {
      for (String way : List.of("metadata", "falloc", "full")) {
        for (boolean backed : new boolean[] {false, true}) {
          good("create -q -f qcow2 " + options + (backed ? "-b r.raw -F raw " : "") + "@a.qcow2 1050000");
          Files.copy(path("a.qcow2"), path("b.qcow2"), StandardCopyOption.REPLACE_EXISTING);
          good("resize -q --preallocation=" + way + " @a.qcow2 2M");
          good("resize -q @b.qcow2 2M");
          assertThat(qemu("check @a.qcow2").code()).as(options + way).isZero();
          assertThat(qemu("compare @a.qcow2 @b.qcow2").out()).as(options + way).contains("identical");
          if (!backed) {
            assertThat(Files.size(path("a.qcow2"))).as(options + way).isGreaterThan(1 << 20);
          }
        }
      }
    }
  }
}
