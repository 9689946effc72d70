package org.ascus.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a user gets who types something wrong: one line that names option and value, and exit code 1. */
@Timeout(60)
class WrongOptionsTest {
  private static final long DRAM = 0x8000_0000L;

  @TempDir Path folder;

  @BeforeEach
  void files() throws IOException {
    Files.writeString(folder.resolve("text"), "This is not a kernel.\n");
    Files.write(folder.resolve("empty"), new byte[0]);
    Files.write(folder.resolve("short.elf"), Arrays.copyOf(elf(DRAM), 122));
    Files.write(folder.resolve("low.elf"), elf(0x4000_0000L));
    Files.write(folder.resolve("Image"), truncatedImage());
  }

  private static byte[] elf(long address) {
    ByteBuffer elf = ByteBuffer.allocate(64 + 56 + 4).order(ByteOrder.LITTLE_ENDIAN);
    elf.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1}).position(16);
    elf.putShort((short) 2).putShort((short) 243).putInt(1).putLong(address).putLong(64).putLong(0);
    elf.putInt(0).putShort((short) 64).putShort((short) 56).putShort((short) 1).putShort((short) 64);
    elf.position(64);
    elf.putInt(1).putInt(5).putLong(120).putLong(address).putLong(address).putLong(4).putLong(4);
    return elf.putLong(0x1000).putInt(0x13).array();
  }

  private static byte[] truncatedImage() {
    ByteBuffer image = ByteBuffer.allocate(0x200).order(ByteOrder.LITTLE_ENDIAN);
    image.putLong(16, 0x1000).putInt(0x38, 0x05435352).put(0, (byte) 'M').put(1, (byte) 'Z').putInt(0x3c, 0x40);
    image.putInt(0x40, 0x4550).putShort(0x46, (short) 1);
    return image.putInt(0x58 + 16, 0x700).putInt(0x58 + 20, 0x100).array();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "-m 12Q | -m 12Q: Parameter 'size' expects a size, a number with suffix k, M, G or T, not '12Q'",
        "-device pcie-root-port,id=a -device pcie-root-port,id=b"
            + " | -device pcie-root-port,id=b: Can't add chassis slot, error -16",
        "-m 0 | -m 0: the machine has 1M to 1T of RAM",
        "-smp 0 | -smp 0: Parameter 'cpus' expects a number from 1 to 8, not '0'",
        "-smp 9 | -smp 9: Parameter 'cpus' expects a number from 1 to 8, not '9'",
        "-cpu nosuch | -cpu nosuch: unable to find CPU model 'nosuch'",
        "-device nosuch | -device nosuch: 'nosuch' is not a valid device model name",
        "-device loader,addr=0,data=1,data-len=9 | "
            + "-device loader,addr=0,data=1,data-len=9: loader.data-len=9: must be 1 to 8",
        "-device virtio-net-device,netdev=x | -device virtio-net-device,netdev=x: Property 'netdev' can't find"
            + " value 'x'",
        "-device virtio-rng-pci,bus=x | -device virtio-rng-pci,bus=x: Bus 'x' not found",
        "-device virtio-blk-pci,drive=x | -device virtio-blk-pci,drive=x: Property 'drive' can't find value 'x'",
        "-blockdev null-co,node-name=d -device virtio-blk-device,drive=d -device virtio-blk-pci,drive=d | "
            + "-device virtio-blk-pci,drive=d: Drive 'd' is already in use by another device",
        "-device virtio-rng-pci,id=x -device virtio-rng-pci,id=x | -device virtio-rng-pci,id=x: "
            + "Duplicate ID 'x' for device",
        "-chardev null,id=c -serial chardev:c -device virtio-serial-device -device virtconsole,chardev=c | "
            + "-device virtconsole,chardev=c: Property 'chardev' can't take value 'c': Device 'c' is in use",
        "-chardev null,id=c,mux=on -serial chardev:c -device virtio-serial-device -device virtconsole,chardev=c "
            + "-device virtconsole,chardev=c -device virtconsole,chardev=c -device virtconsole,chardev=c,id=fifth | "
            + "-device virtconsole,chardev=c,id=fifth: Property 'chardev' can't take value 'c': Device 'c' is in use",
        "-hdb missing | -hdb missing: Could not open 'missing': No such file or directory",
        "-fda x | -fda x: machine type does not support if=floppy,bus=0,unit=0",
        "-sd x | -sd x: machine type does not support if=sd,bus=0,unit=0",
        "-drive file=x,if=scsi | -drive file=x,if=scsi: machine type does not support if=scsi,bus=0,unit=0",
        "-drive file=x,index=1 -drive file=x,index=1 | "
            + "-drive file=x,index=1: drive with bus=0, unit=1 (index=1) exists",
        "-drive file=x,index=1,unit=1 | -drive file=x,index=1,unit=1: index cannot be used with bus and unit",
        "-device virtio-net-device,mac=1 | -device virtio-net-device,mac=1: Property 'mac' doesn't take value '1'",
        "-drive file=missing | -drive file=missing: Could not open 'missing': No such file or directory",
        "-kernel missing | -kernel missing: No such file or directory",
        "-kernel @text | -kernel @text: is a text file, neither ELF nor Image nor machine code",
        "-kernel @empty | -kernel @empty: is empty",
        "-kernel / | -kernel /: Is a directory",
        "-kernel @short.elf | -kernel @short.elf: truncated ELF file: segment 0 (0x4 bytes at offset 0x78) beyond its"
            + " end at 0x7a",
        "-kernel @low.elf | -kernel @low.elf: no memory for 0x40000000-0x40000003 (4 bytes); RAM is at"
            + " 0x80000000-0x87ffffff",
        "-kernel @Image | -kernel @Image: truncated Linux Image: its header says 2048 bytes, the file has 512",
        "-bios @text | -bios @text: is a text file, neither ELF nor Image nor machine code",
        "-dtb @text | -dtb @text: not a device tree: 22 bytes are less than a header",
        "-initrd @text | -initrd @text: only allowed with -kernel",
        "-serial nosuch | -serial nosuch: 'nosuch' is not a valid char driver",
        "-D /nosuch/log | -D /nosuch/log: cannot be written: No such file or directory",
        "-monitor chardev:c | -monitor chardev:c: chardev 'c' not found",
        "-mon chardev=c | -mon chardev=c: chardev 'c' not found",
        "-serial chardev:c | -serial chardev:c: chardev 'c' not found",
        "-netdev socket,id=n,connect=127.0.0.1:1 | -netdev socket,id=n,connect=127.0.0.1:1: can't connect to"
            + " tcp:127.0.0.1:1: Connection refused",
        "-netdev stream,id=n,addr.type=unix,addr.path=/nosuch/s | -netdev"
            + " stream,id=n,addr.type=unix,addr.path=/nosuch/s: can't connect to unix:/nosuch/s: No such file or"
            + " directory",
        "-netdev user,id=n -object filter-dump,id=f,netdev=n,file=/nosuch/f | -object"
            + " filter-dump,id=f,netdev=n,file=/nosuch/f: Could not open '/nosuch/f': No such file or directory",
        "-object secret,id=s,file=/nosuch | -object secret,id=s,file=/nosuch: Unable to read /nosuch: No such file or"
            + " directory",
        "-object secret,id=s,format=base64,data=!!! | -object secret,id=s,format=base64,data=!!!: Base64 of 'data' is"
            + " not valid",
        "-nosuch | -nosuch: invalid option",
      })
  void oneLineNamesOptionAndValue(String line, String message) {
    String place = folder + "/";
    List<String> words = new ArrayList<>(List.of("-M", "virt", "-display", "none"));
    if (!line.startsWith("-bios")) {
      words.addAll(List.of("-bios", "none"));
    }
    words.addAll(List.of(line.replace("@", place).split(" ")));
    ByteArrayOutputStream output = new ByteArrayOutputStream();
    ByteArrayOutputStream errors = new ByteArrayOutputStream();
    int code = Main.run(words.toArray(String[]::new), new PrintStream(output, true), new PrintStream(errors, true));
    assertThat(errors.toString()).isEqualTo("ascus-system-riscv64: " + message.replace("@", place) + "\n");
    assertThat(output.toString()).isEmpty();
    assertThat(code).isEqualTo(1);
  }
}
