package org.ascus.devices.board.riscv;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.ascus.devices.fdt.Fdt;
import org.ascus.devices.fdt.FdtNode;
import org.ascus.devices.fdt.FdtReader;
import org.ascus.devices.fdt.FdtWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Our device tree against the tools that others use: the device tree compiler, and QEMU's own board. */
class VirtTreeOracleTest {
  /** Nodes of QEMU's board that this one has no devices for. */
  private static final List<String> ABSENT =
      List.of("platform-bus@4000000", "pmu");

  @TempDir private Path dir;

  private static FdtNode ours(int smp, boolean aclint) {
    VirtOptions options =
        new VirtOptions(
            512L << 20,
            smp,
            Optional.empty(),
            Optional.empty(),
            "",
            Optional.empty(),
            new Firmware.None(),
            List.of(),
            List.of(),
            true,
            aclint,
            () -> 0,
            new byte[0]);
    return VirtTree.build(options, new StubCpus());
  }

  private static boolean installed(String tool) {
    return List.of(System.getenv("PATH").split(File.pathSeparator)).stream()
        .anyMatch(d -> Files.isExecutable(Path.of(d, tool)));
  }

  private int run(String... command) throws IOException, InterruptedException {
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(dir.resolve("out.txt").toFile())
        .start()
        .waitFor();
  }

  @Test
  void deviceTreeCompilerReadsOurBlobAndWritesTheSameTree() throws Exception {
    assumeTrue(installed("dtc"));
    Path blob = Files.write(dir.resolve("a.dtb"), FdtWriter.write(Fdt.of(ours(4, false))));
    Path source = dir.resolve("a.dts");
    Path again = dir.resolve("b.dtb");
    assertThat(run("dtc", "-I", "dtb", "-O", "dts", "-o", source.toString(), blob.toString())).isZero();
    assertThat(Files.readString(dir.resolve("out.txt"))).doesNotContain("ERROR");
    assertThat(run("dtc", "-I", "dts", "-O", "dtb", "-o", again.toString(), source.toString())).isZero();
    byte[] normal = FdtWriter.write(FdtReader.read(Files.readAllBytes(again)));
    assertThat(normal).isEqualTo(Files.readAllBytes(blob));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void everyNodeIsWhereQemuHasIt(boolean aclint) throws Exception {
    assumeTrue(installed("qemu-system-riscv64"));
    Path dump = dir.resolve("qemu.dtb");
    String machine = "virt,aclint=" + (aclint ? "on" : "off") + ",dumpdtb=" + dump;
    String[] command = {
      "qemu-system-riscv64", "-M", machine, "-m", "512", "-smp", "4", "-display", "none"
    };
    assumeTrue(run(command) == 0 && Files.exists(dump));
    FdtNode qemu = FdtReader.read(Files.readAllBytes(dump)).root();
    FdtNode mine = ours(4, aclint);
    for (String path : List.of("/", "/soc", "/cpus", "/cpus/cpu@3", "/cpus/cpu-map/cluster0")) {
      compareChildren(path, mine, qemu);
    }
  }

  private static void compareChildren(String path, FdtNode mine, FdtNode qemu) {
    TreeSet<String> expected = names(qemu.find(path).orElseThrow());
    ABSENT.forEach(expected::remove);
    assertThat(names(mine.find(path).orElseThrow())).as(path).isEqualTo(expected);
    Map<Integer, String> myHandles = handles("", mine);
    Map<Integer, String> qemuHandles = handles("", qemu);
    for (FdtNode node : mine.find(path).orElseThrow().children()) {
      FdtNode theirs = qemu.find(path + "/" + node.name()).orElseThrow();
      String where = path + "/" + node.name() + " ";
      for (String property : List.of("reg", "interrupts", "#address-cells", "#size-cells", "#interrupt-cells",
          "timebase-frequency", "clock-frequency", "riscv,ndev", "value", "offset", "bank-width", "bus-range",
          "linux,pci-domain", "interrupt-map-mask")) {
        assertThat(node.cells(property)).as(where + property).isEqualTo(theirs.cells(property));
      }
      for (String property : List.of("compatible", "device_type", "status", "mmu-type", "stdout-path")) {
        assertThat(node.strings(property)).as(where + property).isEqualTo(theirs.strings(property));
      }
      for (String flag : List.of("interrupt-controller", "ranges", "dma-coherent")) {
        assertThat(node.has(flag)).as(where + flag).isEqualTo(theirs.has(flag));
      }
      assertThat(node.cells("ranges")).as(where + "ranges").isEqualTo(theirs.cells("ranges"));
      assertThat(interruptMap(node, myHandles)).as(where + "map").isEqualTo(interruptMap(theirs, qemuHandles));
      for (String property : List.of("interrupt-parent", "regmap", "cpu")) {
        assertThat(node.cells(property).stream().map(myHandles::get).toList())
            .as(where + property)
            .isEqualTo(theirs.cells(property).stream().map(qemuHandles::get).toList());
      }
      assertThat(wires(node, myHandles)).as(where + "wires").isEqualTo(wires(theirs, qemuHandles));
    }
  }

  /** {@code interrupt-map} of a PCI bus with paths for phandles. */
  private static List<Object> interruptMap(FdtNode node, Map<Integer, String> handles) {
    List<Integer> cells = node.cells("interrupt-map");
    return java.util.stream.IntStream.range(0, cells.size())
        .<Object>mapToObj(i -> i % 6 == 4 ? handles.get(cells.get(i)) : cells.get(i))
        .toList();
  }

  private static TreeSet<String> names(FdtNode node) {
    TreeSet<String> names = new TreeSet<>();
    node.children().forEach(c -> names.add(c.name()));
    return names;
  }

  /** {@code interrupts-extended} with paths for phandles. */
  private static List<String> wires(FdtNode node, Map<Integer, String> handles) {
    List<Integer> cells = node.cells("interrupts-extended");
    return java.util.stream.IntStream.range(0, cells.size() / 2)
        .mapToObj(i -> handles.get(cells.get(2 * i)) + " " + cells.get(2 * i + 1))
        .toList();
  }

  private static Map<Integer, String> handles(String path, FdtNode node) {
    Map<Integer, String> result = new HashMap<>();
    node.cells("phandle").forEach(h -> result.put(h, path));
    node.children().forEach(c -> result.putAll(handles(path + "/" + c.name(), c)));
    return result;
  }
}
