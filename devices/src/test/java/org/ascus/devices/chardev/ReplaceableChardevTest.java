package org.ascus.devices.chardev;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReplaceableChardevTest {
  private final List<String> events = new ArrayList<>();

  /** Notes what happens to it; its input comes at once. */
  private final class Channel implements CharBackend {
    private final String name;
    private final boolean comesAndGoes;

    Channel(String name, boolean comesAndGoes) {
      this.name = name;
      this.comesAndGoes = comesAndGoes;
    }

    @Override
    public void write(byte[] data, int offset, int length) {
      events.add(name + " wrote " + length);
    }

    @Override
    public boolean hasPeers() {
      return comesAndGoes;
    }

    @Override
    public void connect(CharReceiver receiver) {
      events.add(name + " connected");
      receiver.receive(new byte[] {1}, 0, 1);
    }

    @Override
    public void close() {
      events.add(name + " closed");
    }
  }

  private final class Receiver implements CharReceiver {
    @Override
    public int canReceive() {
      return 1;
    }

    @Override
    public void receive(byte[] data, int offset, int length) {
      events.add("received " + length);
    }

    @Override
    public void breakReceived() {
      events.add("break");
    }

    @Override
    public void peerChanged(boolean there) {
      events.add("peer " + there);
    }
  }

  @Test
  void theReceiverStaysWhenTheHostsEndIsReplaced() {
    ReplaceableChardev channel = new ReplaceableChardev(new Channel("a", false));
    channel.connect(new Receiver());
    channel.write(new byte[3], 0, 3);
    channel.replace(new Channel("b", true));
    assertThat(channel.hasPeers()).isTrue();
    channel.write(new byte[2], 0, 2);
    channel.close();
    assertThat(events)
        .containsExactly(
            "a connected", "received 1", "a wrote 3", "a closed", "peer false", "b connected", "received 1",
            "b wrote 2", "b closed");
  }

  @Test
  void whoIsAlwaysThereIsThereAtOnce() {
    ReplaceableChardev channel = new ReplaceableChardev(new Channel("a", true));
    channel.connect(new Receiver());
    events.clear();
    channel.replace(new Channel("b", false));
    assertThat(events).containsExactly("a closed", "peer true", "b connected", "received 1");
  }

  @Test
  void breaksComeFromTheHostsEnd() {
    ReplaceableChardev channel = new ReplaceableChardev(new Channel("a", false));
    channel.sendBreak();
    channel.connect(new Receiver());
    events.clear();
    channel.sendBreak();
    assertThat(events).containsExactly("break");
  }
}
