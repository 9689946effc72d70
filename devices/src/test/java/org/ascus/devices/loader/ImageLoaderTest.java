package org.ascus.devices.loader;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.ascus.machine.bus.AddressSpace;
import org.ascus.machine.bus.GuestRam;
import org.ascus.machine.bus.RamRegion;
import org.ascus.machine.trace.Log;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageLoaderTest {
  private static final long BASE = 0x8000_0000L;
  private static final long LIMIT = 1 << 20;

  static byte[] elf() {
    ByteBuffer elf = ByteBuffer.allocate(64 + 56 + 4).order(ByteOrder.LITTLE_ENDIAN);
    elf.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1}).position(16);
    elf.putShort((short) 2).putShort((short) 243).putInt(1).putLong(BASE + 0x100).putLong(64).putLong(0);
    elf.putInt(0).putShort((short) 64).putShort((short) 56).putShort((short) 1).putShort((short) 64);
    elf.position(64);
    elf.putInt(1).putInt(5).putLong(120).putLong(0xffff_0000_0000L).putLong(BASE + 0x100).putLong(4).putLong(0x20);
    elf.putLong(0x1000).putInt(0x13);
    return elf.array();
  }

  private static GuestImage load(byte[] file) throws LoadException {
    return ImageLoader.executable("-kernel x", file, ElfFile.RISCV, BASE, LIMIT);
  }

  private static void refused(byte[] file, String message) {
    assertThatThrownBy(() -> load(file)).isInstanceOf(LoadException.class).hasMessage("-kernel x: " + message);
  }

  private static byte[] gzip(byte[] data) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(data);
    }
    return out.toByteArray();
  }

  private static byte[] linuxImage() {
    ByteBuffer image = ByteBuffer.allocate(128).order(ByteOrder.LITTLE_ENDIAN);
    image.putLong(8, 0x20_0000).putLong(16, 0x1000).putInt(0x38, 0x05435352);
    return image.array();
  }

  private static AddressSpace memory() {
    AddressSpace memory = new AddressSpace("test", Log.off());
    memory.map(BASE, new RamRegion("ram", new GuestRam("ram", 0x10000), true));
    return memory;
  }

  @Test
  void elfGoesToItsPhysicalAddresses() throws LoadException {
    GuestImage image = load(elf());
    assertThat(image.entry()).isEqualTo(BASE + 0x100);
    assertThat(image.end()).isEqualTo(BASE + 0x120);
    assertThat(image.segments()).hasSize(1);
    assertThat(image.segments().getFirst().data()).containsExactly(0x13, 0, 0, 0);
  }

  @Test
  void memoryBeyondTheFileIsZeroed() throws Exception {
    AddressSpace memory = memory();
    memory.write(BASE + 0x118, 8, -1);
    GuestImage image = load(elf());
    image.checkFits(memory);
    image.writeTo(memory);
    assertThat(memory.read(BASE + 0x100, 8)).isEqualTo(0x13);
    assertThat(memory.read(BASE + 0x118, 8)).isZero();
  }

  @Test
  void gzipIsLookedInto() throws Exception {
    assertThat(load(gzip(elf())).entry()).isEqualTo(BASE + 0x100);
    assertThat(load(gzip(linuxImage())).end()).isEqualTo(BASE + 0x1000);
    byte[] bomb = gzip(new byte[2 << 20]);
    refused(bomb, "larger than the guest's memory when decompressed");
    assertThatThrownBy(() -> load(Arrays.copyOf(bomb, 100))).hasMessageContaining("damaged gzip data");
  }

  @Test
  void linuxImageTakesTheMemoryThatItsHeaderNames() throws LoadException {
    GuestImage image = load(linuxImage());
    assertThat(image.entry()).isEqualTo(BASE);
    assertThat(image.end()).isEqualTo(BASE + 0x1000);
  }

  @Test
  void anythingElseIsRawBytes() throws LoadException {
    GuestImage image = load(new byte[] {0x73, 0, 0x50, 0x10});
    assertThat(image.entry()).isEqualTo(BASE);
    assertThat(image.end()).isEqualTo(BASE + 4);
  }

  @Test
  void whatCannotRunIsRefusedInOneLine() {
    refused(new byte[0], "is empty");
    refused("#!/bin/sh\necho hello\n".getBytes(StandardCharsets.US_ASCII),
        "is a text file, neither ELF nor Image nor machine code");
    refused(Arrays.copyOf(elf(), 40), "truncated ELF file: 40 bytes are less than its header");
    refused(Arrays.copyOf(elf(), 122),
        "truncated ELF file: segment 0 (0x4 bytes at offset 0x78) beyond its end at 0x7a");
    refused(Arrays.copyOf(elf(), 100),
        "truncated ELF file: program headers (0x38 bytes at offset 0x40) beyond its end at 0x64");
    byte[] otherMachine = elf();
    otherMachine[18] = 62;
    refused(otherMachine, "ELF file for machine 62, the guest needs 243");
    byte[] object = elf();
    object[16] = 1;
    refused(object, "ELF file is not an executable (type 1)");
    byte[] elf32 = elf();
    elf32[4] = 1;
    refused(elf32, "not a 64-bit ELF file");
    byte[] bigEndian = elf();
    bigEndian[5] = 2;
    refused(bigEndian, "not a little-endian ELF file");
    byte[] note = elf();
    note[64] = 4;
    refused(note, "ELF file has nothing to load");
  }

  @Test
  void segmentsWithoutMemoryAreNamed() throws LoadException {
    byte[] elf = elf();
    elf[64 + 27] = 0x10;
    GuestImage image = load(elf);
    assertThatThrownBy(() -> image.checkFits(memory()))
        .hasMessage("-kernel x: no memory for 0x10000100-0x1000011f (32 bytes); RAM is at 0x80000000-0x8000ffff");
  }

  /** As GNU ld links with -Ttext=0x80000000: the page in front of the program holds the headers. */
  private static byte[] elfWithHeadersBelowMemory() {
    ByteBuffer elf = ByteBuffer.allocate(0x1004).order(ByteOrder.LITTLE_ENDIAN).put(elf());
    elf.putInt(120, 0).putLong(24, BASE).putLong(72, 0).putLong(80, BASE - 0x1000).putLong(88, BASE - 0x1000);
    return elf.putLong(96, 0x1004).putLong(104, 0x1010).putInt(0x1000, 0x13).array();
  }

  @Test
  void headersBelowMemoryAreLeftOut() throws Exception {
    AddressSpace memory = memory();
    memory.write(BASE + 8, 8, -1);
    GuestImage image = load(elfWithHeadersBelowMemory());
    image.checkFits(memory);
    image.writeTo(memory);
    assertThat(image.start()).isEqualTo(BASE);
    assertThat(image.entry()).isEqualTo(BASE);
    assertThat(memory.read(BASE, 8)).isEqualTo(0x13);
    assertThat(memory.read(BASE + 8, 8)).isZero();
  }

  @Test
  void aProgramThatBeginsBelowMemoryIsNamed() throws LoadException {
    byte[] elf = elfWithHeadersBelowMemory();
    elf[0x800] = 1;
    GuestImage image = load(elf);
    assertThatThrownBy(() -> image.checkFits(memory()))
        .hasMessage(
            "-kernel x: no memory for 0x7ffff000-0x8000000f (4112 bytes); RAM is at 0x80000000-0x8000ffff");
  }

  /** An EFI kernel: .text and .data of 0x100 bytes each behind headers of 0x100. */
  private static byte[] efiImage() {
    ByteBuffer image = ByteBuffer.allocate(0x300).order(ByteOrder.LITTLE_ENDIAN).put(linuxImage());
    image.put(0, (byte) 'M').put(1, (byte) 'Z').putInt(0x3c, 0x40);
    image.putInt(0x40, 0x4550).putShort(0x46, (short) 2).putShort(0x54, (short) 0x10);
    image.putInt(0x68 + 16, 0x100).putInt(0x68 + 20, 0x100).putInt(0x90 + 16, 0x100).putInt(0x90 + 20, 0x200);
    return image.array();
  }

  @Test
  void truncatedLinuxImagesAreRefused() throws LoadException {
    assertThat(load(efiImage()).end()).isEqualTo(BASE + 0x1000);
    for (int size : new int[] {0x80, 0x100, 0x2ff}) {
      int whole = size == 0x80 ? 0xb8 : 0x300;
      refused(
          Arrays.copyOf(efiImage(), size),
          "truncated Linux Image: its header says " + whole + " bytes, the file has " + size);
    }
  }

  @Test
  void overlapsAreNamed() throws LoadException {
    GuestImage tree = GuestImage.raw("device tree", BASE + 0x11f, new byte[8]);
    GuestImage image = load(elf());
    assertThatThrownBy(() -> image.checkApart(tree))
        .hasMessage("-kernel x at 0x80000100-0x8000011f overlaps device tree at 0x8000011f-0x80000126");
    assertThatThrownBy(() -> tree.checkApart(image)).isInstanceOf(LoadException.class);
    image.checkApart(GuestImage.raw("device tree", BASE + 0x120, new byte[8]));
  }

  @Test
  void damagedFilesAreLoadedOrRefusedAndNothingElse() throws IOException {
    Random random = new Random(2);
    AddressSpace memory = memory();
    for (byte[] good : new byte[][] {elf(), elfWithHeadersBelowMemory(), linuxImage(), efiImage(), gzip(elf())}) {
      for (int i = 0; i < 10_000; i++) {
        byte[] file = Arrays.copyOf(good, random.nextInt(4) == 0 ? random.nextInt(good.length) : good.length);
        for (int n = random.nextInt(4); n > 0 && file.length > 0; n--) {
          file[random.nextInt(file.length)] = (byte) random.nextInt();
        }
        try {
          GuestImage image = load(file);
          image.checkFits(memory);
          image.writeTo(memory);
        } catch (LoadException e) {
          assertThat(e.getMessage()).startsWith("-kernel x").doesNotContain("\n");
        }
      }
    }
  }

  @Test
  void filesThatCannotBeReadAreNamed(@TempDir Path dir) throws IOException {
    Path big = Files.write(dir.resolve("big"), new byte[101]);
    assertThatThrownBy(() -> ImageLoader.readFile("-initrd big", big, 100))
        .hasMessage("-initrd big: larger than the guest's memory");
    assertThatThrownBy(() -> ImageLoader.readFile("-initrd none", dir.resolve("none"), 100))
        .hasMessage("-initrd none: No such file or directory");
    assertThatThrownBy(() -> ImageLoader.readFile("-initrd d", dir, 100)).hasMessage("-initrd d: is a directory");
  }
}
