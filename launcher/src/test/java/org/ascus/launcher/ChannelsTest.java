package org.ascus.launcher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.ascus.devices.chardev.CharBackend;
import org.ascus.devices.chardev.CharReceiver;
import org.ascus.launcher.options.CharOptions;
import org.ascus.launcher.options.ChardevOptions;
import org.ascus.launcher.options.SecurityObjects;
import org.ascus.machine.device.DeviceException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ChannelsTest {
  @TempDir private Path dir;

  private Channels channels(ChardevOptions... named) {
    Map<String, ChardevOptions> byId = new LinkedHashMap<>();
    for (ChardevOptions one : named) {
      byId.put(one.id(), one);
    }
    var nothing = new SecurityObjects(Map.of(), Map.of(), Map.of());
    return new Channels(byId, nothing, () -> {}, new PrintStream(PrintStream.nullOutputStream()));
  }

  private static void write(CharBackend channel, String text) {
    byte[] data = text.getBytes(StandardCharsets.US_ASCII);
    channel.write(data, 0, data.length);
  }

  @Test
  void aChannelThatIsAddedIsThereUntilItIsRemoved() throws Exception {
    try (Channels channels = channels()) {
      assertThat(channels.add("ringbuf,id=r,size=16")).isEqualTo("r");
      assertThat(channels.describe()).containsEntry("r", "ringbuf");
      assertThat(channels.ring("r")).isPresent();
      assertThatThrownBy(() -> channels.add("null,id=r")).hasMessage("Chardev with id 'r' already exists");
      assertThatThrownBy(() -> channels.add("null")).hasMessage("chardev: no id specified");
      assertThatThrownBy(() -> channels.add("foo,id=f")).hasMessage("'foo' is not a valid char driver name");
      channels.remove("r");
      assertThat(channels.describe()).isEmpty();
      assertThatThrownBy(() -> channels.remove("r")).hasMessage("Chardev 'r' not found");
      assertThatThrownBy(() -> channels.sendBreak("r")).hasMessage("Chardev 'r' not found");
      assertThatThrownBy(() -> channels.change("r", "null")).hasMessage("Chardev 'r' does not exist");
    }
  }

  @Test
  void aChannelThatCannotBeOpenedIsNotThere() throws Exception {
    try (Channels channels = channels()) {
      String missing = dir.resolve("no/file").toString();
      assertThatThrownBy(() -> channels.add("file,id=f,path=" + missing)).hasMessageContaining("No such file");
      assertThat(channels.describe()).isEmpty();
      assertThat(channels.add("null,id=f")).isEqualTo("f");
    }
  }

  @Test
  void whatIsInUseIsNotRemoved() throws Exception {
    var shared = new ChardevOptions("-chardev", "m", new CharOptions.Null(), true);
    try (Channels channels = channels(new ChardevOptions("-chardev", "a", new CharOptions.Null(), false), shared)) {
      channels.prepare("a");
      channels.prepare("m");
      channels.front("a", "port");
      channels.front("m", "port");
      assertThatThrownBy(() -> channels.front("a", "other")).isInstanceOf(DeviceException.class);
      assertThatThrownBy(() -> channels.remove("a")).hasMessage("Chardev 'a' is busy");
      assertThatThrownBy(() -> channels.remove("m")).hasMessage("Chardev 'm' is busy");
      assertThatThrownBy(() -> channels.change("m", "null")).hasMessage("Mux device hotswap not supported yet");
    }
  }

  @Test
  void outputGoesToTheChannelThatTookTheOthersPlace() throws Exception {
    Path first = dir.resolve("first");
    Path second = dir.resolve("second");
    Path log = dir.resolve("log");
    var kind = new CharOptions.File(first, false, Optional.empty());
    try (Channels channels = channels(new ChardevOptions("-chardev", "c", kind, false))) {
      channels.prepare("c");
      CharBackend port = channels.front("c", "port");
      write(port, "one");
      channels.change("c", "file,path=" + second + ",logfile=" + log);
      write(port, "two");
      assertThatThrownBy(() -> channels.change("c", "file,path=" + dir.resolve("no/file")))
          .as("then the one before stays")
          .hasMessageContaining("No such file");
      write(port, "three");
    }
    assertThat(text(first)).isEqualTo("one");
    assertThat(text(second)).isEqualTo("twothree");
    assertThat(text(log)).isEqualTo("twothree");
  }

  @Test
  void aBreakReachesWhoUsesTheChannel() throws Exception {
    AtomicInteger breaks = new AtomicInteger();
    try (Channels channels = channels()) {
      channels.add("null,id=c");
      channels
          .front("c", "port")
          .connect(
              new CharReceiver() {
                @Override
                public int canReceive() {
                  return 1;
                }

                @Override
                public void receive(byte[] data, int offset, int length) {}

                @Override
                public void breakReceived() {
                  breaks.incrementAndGet();
                }
              });
      channels.sendBreak("c");
    }
    assertThat(breaks).hasValue(1);
  }

  private static String text(Path file) throws IOException {
    return Files.readString(file);
  }
}
