package org.ascus.launcher.img;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Encrypted images that go back and forth between {@code ascus-img} and {@code qemu-img}. */
class EncryptedImagesTest extends ImageTools {
  private static final int SIZE = 300_032;
  private static final String SECRET = "--object secret,id=s,data=pass --object secret,id=w,data=wrong ";
  private static final String QCOW2 = "driver=qcow2,file.filename=@e.qcow2,encrypt.key-secret=s";
  private static final String LUKS = "encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=1";

  private final Random random = new Random(5);
  private byte[] content = new byte[SIZE];

  @BeforeEach
  void aRawImage() throws Exception {
    needQemuImg();
    random.nextBytes(content);
    Files.write(path("r.raw"), content);
  }

  private interface Tool {
    Result run(String line) throws Exception;
  }

  private static void good(Tool tool, String line) throws Exception {
    Result result = tool.run(line);
    assertThat(result.code()).as(line + ": " + result).isZero();
  }

  /** One tool writes other bytes into a part of the image, the other must find them. */
  private void rewrite(Tool writer, Tool reader, String image) throws Exception {
    byte[] part = new byte[50_000];
    random.nextBytes(part);
    System.arraycopy(part, 0, content, random.nextInt(content.length - part.length), part.length);
    Files.write(path("r.raw"), content);
    good(writer, "convert -n -f raw " + SECRET + "--target-image-opts @r.raw " + image);
    good(reader, "compare " + SECRET + "--image-opts " + image + " driver=raw,file.filename=@r.raw");
  }

  private void isSound() throws Exception {
    assertThat(qemu("check " + SECRET + "--image-opts " + QCOW2).out()).contains("No errors were found");
  }

  @ParameterizedTest
  @ValueSource(strings = {
      "extended_l2=on", "cluster_size=512", "cluster_size=2M", "refcount_bits=64", "lazy_refcounts=on",
      "data_file=@e.data", "data_file=@e.data,data_file_raw=on", "preallocation=metadata", "preallocation=full",
      "backing_file=@r.qcow2,backing_fmt=qcow2", "extended_l2=on,backing_file=@r.qcow2,backing_fmt=qcow2"})
  void encryptionGoesWithTheOtherOptionsOfQcow2(String options) throws Exception {
    good("convert -f raw -O qcow2 @r.raw @r.qcow2");
    if (options.contains("backing")) {
      good("create -q -f qcow2 " + SECRET + "-o " + LUKS + "," + options + " @e.qcow2");
    } else {
      good("convert -f raw -O qcow2 " + SECRET + "-o " + LUKS + "," + options + " @r.raw @e.qcow2");
    }
    rewrite(this::qemu, this::img, QCOW2);
    rewrite(this::img, this::qemu, QCOW2);
    isSound();
    byte[] before = content.clone();
    // QEMU's snapshots say nothing of data files, which they leave as they are.
    boolean snapshots = !options.contains("data_file");
    if (snapshots) {
      good("snapshot -c one " + SECRET + "--image-opts " + QCOW2);
    }
    good("resize -q " + SECRET + "--image-opts " + QCOW2 + " +64k");
    content = Arrays.copyOf(content, SIZE + 65536);
    rewrite(this::qemu, this::img, QCOW2);
    rewrite(this::img, this::qemu, QCOW2);
    isSound();
    if (snapshots) {
      good("snapshot -a one " + SECRET + "--image-opts " + QCOW2);
      Files.write(path("r.raw"), before);
      good(this::qemu, "compare " + SECRET + "--image-opts " + QCOW2 + " driver=raw,file.filename=@r.raw");
      isSound();
    }
  }

  @Test
  void whatQemuImgRefusesIsRefusedInItsWords() throws Exception {
    good("create -q -f qcow2 " + SECRET + "-o " + LUKS + " @e.qcow2 1M");
    good("create -q -f luks " + SECRET + "-o key-secret=s,iter-time=1 @e.luks 1M");
    good("create -q -f qcow2 @p.qcow2 1M");
    for (String line : new String[] {
        "create -f luks @n 1M", "create -f luks -o key-secret=zz @n 1M",
        "create -f luks -o key-secret=s,cipher-alg=des @n 1M", "create -f luks -o key-secret=s,cipher-alg=3des @n 1M",
        "create -f luks -o key-secret=s,cipher-alg=x @n 1M", "create -f luks -o key-secret=s,cipher-mode=x @n 1M",
        "create -f luks -o key-secret=s,hash-alg=x @n 1M", "create -f luks -o key-secret=s,ivgen-alg=x @n 1M",
        "create -f luks -o key-secret=s,ivgen-hash-alg=x @n 1M",
        "create -f luks -o key-secret=s,cipher-alg=cast5-128 @n 1M",
        "create -f luks -o key-secret=s,ivgen-alg=essiv,ivgen-hash-alg=sha1 @n 1M",
        "create -f luks -o key-secret=s,cipher-alg=serpent-256,ivgen-alg=essiv,ivgen-hash-alg=sha384 @n 1M",
        "create -f luks -o key-secret=s,cipher-alg=twofish-128,ivgen-alg=essiv,ivgen-hash-alg=sha224 @n 1M",
        "create -f luks -o key-secret=s,cipher-alg=cast5-128,cipher-mode=cbc,ivgen-alg=essiv @n 1M",
        "create -f qcow2 -o encrypt.format=luks @n 1M",
        "create -f qcow2 -o encrypt.format=luks,encrypt.key-secret=zz @n 1M",
        "create -f qcow2 -o encrypt.key-secret=s @n 1M",
        "create -f qcow2 -o encryption=on,encrypt.format=luks,encrypt.key-secret=s @n 1M",
        "resize --image-opts driver=luks,file.filename=@e.luks,key-secret=zz 2M",
        "map --image-opts " + QCOW2 + "z"}) {
      String with = line.replaceFirst(" ", " " + SECRET);
      assertThat(img(with)).as(line).isEqualTo(qemu(with));
    }
    // What is wrong is the same: qemu-img repeats the image's whole description before it.
    for (String line : new String[] {
        "map --image-opts driver=qcow2,file.filename=@e.qcow2",
        "map --image-opts driver=qcow2,file.filename=@e.qcow2,encrypt.key-secret=w",
        "map --image-opts driver=luks,file.filename=@e.luks",
        "map --image-opts driver=luks,file.filename=@e.luks,key-secret=w",
        "map --image-opts driver=qcow2,file.filename=@e.qcow2,encrypt.format=aes,encrypt.key-secret=s",
        "map --image-opts driver=qcow2,file.filename=@p.qcow2,encrypt.format=luks,encrypt.key-secret=s"}) {
      String with = line.replaceFirst(" ", " " + SECRET);
      String theirs = qemu(with).errors();
      assertThat(img(with).errors()).as(line).startsWith("ascus-img: ")
          .endsWith(theirs.substring(theirs.indexOf("': ") + 3));
    }
  }
}
