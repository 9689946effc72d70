package org.ascus.devices.net.tap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.ascus.devices.net.Frame;
import org.ascus.devices.net.TestCard;
import org.ascus.machine.device.DeviceException;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Needs the right to make network interfaces, and is skipped without. */
@Timeout(60)
class TapNetTest {
  private static final String NETWORK = "198.51.100.";

  @TempDir Path folder;

  private Path script(String text) throws Exception {
    Path script = Files.writeString(folder.resolve("script" + text.hashCode()), "#!/bin/sh\n" + text + "\n");
    return Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwx------"));
  }

  private static TapNet open(TapScripts scripts) {
    try {
      return new TapNet("t", "", scripts);
    } catch (DeviceException e) {
      Assumptions.abort("no tap interfaces here: " + e.getMessage());
      return null;
    }
  }

  @Test
  void framesGoToTheHostsInterfaceAndComeFromIt() throws Exception {
    Path marker = folder.resolve("down");
    Path up = script("ip addr add " + NETWORK + "1/24 dev $1 && ip link set $1 up");
    Path down = script("echo $1 >" + marker);
    TestCard card = new TestCard();
    TapNet tap = open(new TapScripts(up.toString(), down.toString()));
    String name = tap.name();
    try {
      tap.connect(card);
      assertThat(NetworkInterface.getByName(name)).isNotNull();
      // The host asks for the address that it is to send to.
      try (DatagramSocket socket = new DatagramSocket()) {
        socket.send(new DatagramPacket(new byte[1], 1, InetAddress.getByName(NETWORK + "2"), 9));
      }
      Frame question = card.next();
      while (question.bytes()[12] != 8 || question.bytes()[13] != 6) {
        question = card.next();
      }
      byte[] asked = question.bytes();
      byte[] answer = asked.clone();
      byte[] own = {2, 0, 0, 0, 0, 2};
      System.arraycopy(asked, 6, answer, 0, 6);
      System.arraycopy(own, 0, answer, 6, 6);
      answer[21] = 2;
      System.arraycopy(own, 0, answer, 22, 6);
      System.arraycopy(asked, 38, answer, 28, 4);
      System.arraycopy(asked, 22, answer, 32, 10);
      assertThat(tap.receive(new Frame(answer))).isTrue();
      Frame datagram = card.next();
      while (datagram.bytes()[12] != 8 || datagram.bytes()[13] != 0) {
        datagram = card.next();
      }
      assertThat(datagram.bytes()).startsWith(own);
    } finally {
      tap.close();
    }
    assertThat(Files.readString(marker)).isEqualTo(name + "\n");
    assertThat(NetworkInterface.getByName(name)).isNull();
  }

  @Test
  void aScriptThatFailsIsNamed() throws Exception {
    open(TapScripts.NONE).close();
    String script = script("exit 3").toString();
    assertThatThrownBy(() -> new TapNet("t", "", new TapScripts(script, "")))
        .isInstanceOf(DeviceException.class)
        .hasMessage("network script " + script + " failed with status 3");
    assertThatThrownBy(() -> new TapNet("t", "", new TapScripts("/nosuch/script", "")))
        .hasMessageContaining("/nosuch/script");
  }

  @Test
  void aHelperThatHandsNothingOverIsNamed() throws Exception {
    assertThatThrownBy(() -> new TapNet("t", new BridgeHelper("/nosuch/helper", "br0")))
        .isInstanceOf(DeviceException.class)
        .hasMessage("bridge helper failed: /nosuch/helper: No such file or directory");
    Path seen = folder.resolve("arguments");
    String failing = script("echo $* >" + seen + "; ls /proc/self/fd >>" + seen + "; exit 3").toString();
    assertThatThrownBy(() -> new TapNet("t", new BridgeHelper(failing, "brx")))
        .hasMessage("bridge helper failed: " + failing + " failed with status 3");
    assertThat(Files.readAllLines(seen)).startsWith("--fd=3 --br=brx", "0", "1", "2", "3");
    String silent = script("exit 0").toString();
    assertThatThrownBy(() -> new TapNet("t", new BridgeHelper(silent + " --quiet", "br0")))
        .hasMessage("bridge helper failed: " + silent + " --quiet handed nothing over");
  }

  /** Makes a helper in Python, which can pass descriptors on. */
  private String helper(String make) throws Exception {
    boolean python = new ProcessBuilder("sh", "-c", "command -v python3 >/dev/null").start().waitFor() == 0;
    Assumptions.assumeTrue(python, "python3 is missing");
    String program =
        "exec python3 -c 'import array, fcntl, os, socket, struct\n" + make
            + "\ns = socket.socket(fileno=3)"
            + "\ns.sendmsg([b\"c\"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array(\"i\", [f]))])'";
    return script(program).toString();
  }

  @Test
  void whatAHelperHandsOverMustBeATapInterface() throws Exception {
    String helper = helper("f = os.open(\"/dev/null\", os.O_RDWR)");
    assertThatThrownBy(() -> new TapNet("t", new BridgeHelper(helper, "br0")))
        .hasMessageStartingWith("bridge helper failed: what " + helper + " handed over is no tap interface");
  }

  @Test
  void anInterfaceThatAHelperMadeIsUsed() throws Exception {
    open(TapScripts.NONE).close();
    String make =
        "f = os.open(\"/dev/net/tun\", os.O_RDWR)\n"
            + "fcntl.ioctl(f, 0x400454ca, struct.pack(\"16sH22s\", b\"\", 0x1002, b\"\"))";
    TapNet net = new TapNet("t", new BridgeHelper(helper(make), "br0"));
    try {
      assertThat(Path.of("/sys/class/net", net.name())).exists();
      assertThat(net.describe()).startsWith("type=bridge,br=br0,ifname=" + net.name());
    } finally {
      net.close();
    }
  }
}
